"""The battery's scenarios against the planner alone, in memory."""

import random
from typing import Any

import msgspec
import pytest

from identity.planning.resolution.event_time import parse_time
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.calls import Source
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import PUBLIC, SERVER, key_of
from tests.support.planning.scenarios import HELD, RECEIVED, expand, matching, tally


def play(scenario: dict[str, Any], calls: list[dict[str, Any]], source: Source = SERVER) -> World:
    """A world after these calls, in this order; the claims of a public key are taken as Segment takes them."""
    trust = "source" if source.server else "segment"
    world = World(compile_rules({**(scenario.get("config") or {}), "trust": trust}, 1))
    received = parse_time(RECEIVED)
    assert received is not None
    for call in calls:
        if call["type"] == "$unmerge":
            world.unmerge({key_of(*text.split(":", 1)) for text in call["ids"]}, block=call.get("block", True))
        elif call["type"] == "$remove_identifier":
            world.remove(key_of(*call["id"].split(":", 1)), block=call.get("block", False))
        elif call["type"] == "$delete":
            world.erase(key_of(*call["id"].split(":", 1)), suppress=call.get("suppress", True))
        elif call["type"] == "$unsuppress":
            world.state.suppressed -= {key_of(*text.split(":", 1)) for text in call["ids"]}
        else:
            world.send([call], received=received, source=source)
    return world


def check(scenario: dict[str, Any], world: World) -> None:
    """Assert every expectation of a scenario."""
    found = world.profiles()
    expect = matching(scenario["expect"], [p["identifiers"] for p in found])
    assert expect is not None, f"partition: {sorted(p['identifiers'] for p in found)}"
    owner = {text: profile for profile in found for text in profile["identifiers"]}
    for text, traits in expect.get("traits", {}).items():
        for name, value in traits.items():
            assert owner[text]["traits"].get(name, "$absent") == value
    for text, categories in expect.get("consents", {}).items():
        for category, value in categories.items():
            answer = owner[text]["consent"][category]
            want = {"value": value, "conflict": False} if isinstance(value, bool) else value
            assert {"value": answer.value, "conflict": answer.conflict} == want
    for text, groups in expect.get("groups", {}).items():
        assert owner[text]["groups"] == sorted(groups)
    for group, traits in expect.get("group_traits", {}).items():
        document = world.state.groups[key_of("group", group)].document
        assert {name: value for name, (value, _, _) in document.traits.items() if value is not None} == traits
    for text, events in expect.get("events_on", {}).items():
        assert owner[text]["events"] == events
    counts = tally([msgspec.to_builtins(outcome) for outcome in world.outcomes])
    for name, value in expect.get("stats", {}).items():
        assert counts[name] == (sorted(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("scenario", HELD, ids=[s["id"] for s in HELD])
def test_the_planner_meets_the_expectations_of_a_scenario(scenario: dict[str, Any]) -> None:
    """Also in another order where the order is free."""
    calls = list(expand(scenario["calls"]))
    check(scenario, play(scenario, calls))
    if scenario.get("order_independent"):
        shuffled = random.Random(scenario["id"])
        for _ in range(5):
            shuffled.shuffle(calls)
            check(scenario, play(scenario, calls))


WITHOUT_ALIAS = [s for s in HELD if all(call["type"] != "alias" for call in expand(s["calls"]))]


@pytest.mark.parametrize("scenario", WITHOUT_ALIAS, ids=[s["id"] for s in WITHOUT_ALIAS])
def test_a_public_key_meets_the_expectations_where_the_rules_trust_it(scenario: dict[str, Any]) -> None:
    """`trust: segment` takes what a browser claims as Segment does; an alias has a rule of its own."""
    check(scenario, play(scenario, list(expand(scenario["calls"])), PUBLIC))
