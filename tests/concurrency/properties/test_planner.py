"""Invariants of the planner under any calls, and the alias rules one by one."""

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution import counters
from identity.planning.resolution.plan import Plan
from identity.planning.resolution.planner_state import Counters, Window
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.calls import Call, Source
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros
from tests.support.planning import traffic
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of, read

OPEN = compile_rules({"limits": {"user_id": {"max": 1000}}}, 1)
bodies = st.lists(traffic.calls().filter(lambda body: body["type"] != "alias"), max_size=12)


def calls(bodies: list[dict[str, Any]], rules: Any) -> list[Call]:
    """The bodies as read, each with an id of its own where it has none; without those that are rejected."""
    found = []
    for nr, body in enumerate(copy.deepcopy(bodies)):
        call = read({"messageId": f"own-{nr}", **body}, rules, 10**15 + nr)
        if isinstance(call, Call):
            found.append(call)
        else:
            assert call.reason == "missing_event"
    return found


def rows(world: World) -> tuple[Any, ...]:
    """All rows that a world would store."""
    state = world.state
    return state.owners, state.profiles, state.documents, state.sightings, state.groups, world.gained


def logged(plans: list[Plan]) -> list[Any]:
    """Evidence, events and history, in order."""
    return [
        [record for plan in plans for record in plan.evidence],
        [record for plan in plans for record in plan.events],
        [note for plan in plans for note in plan.history],
        [outcome for plan in plans for outcome in plan.outcomes],
    ]


@given(st.lists(traffic.calls(), max_size=12), traffic.rules, st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_batches_do_not_matter(bodies: list[dict[str, Any]], document: Any, sizes: list[int]) -> None:
    """However the calls are cut into batches, the profiles and the log are the same."""
    rules = compile_rules(
        {**document, "limits": {t: {"max": v["max"]} for t, v in document.get("limits", {}).items()}}, 1
    )
    single, batched = World(rules), World(rules)
    for call in calls(bodies, rules):
        single.plan([call])
    left = iter(calls(bodies, rules))
    for size in sizes:
        batched.plan(list(itertools.islice(left, size)))
    assert rows(single) == rows(batched)
    assert logged(single.plans) == logged(batched.plans)


@given(bodies)
def test_without_limits_profiles_are_connected_components(bodies: list[dict[str, Any]]) -> None:
    """The partition is that of the graph whose edges are the identifiers of one call."""
    import networkx as nx

    world = World(OPEN)
    graph: Any = nx.Graph()
    for call in calls(bodies, OPEN):
        keys = [identifier.key for identifier in call.identifiers]
        if call.message_key not in world.state.message_keys:
            graph.add_nodes_from(keys)
            nx.add_path(graph, keys)
        world.plan([call])
    found: dict[bytes, set[bytes]] = {}
    for key, origin in world.state.owners.items():
        found.setdefault(world.state.profiles[origin].root, set()).add(key)
    assert sorted(map(sorted, nx.connected_components(graph))) == sorted(map(sorted, found.values()))


@given(st.lists(traffic.calls(), max_size=12), traffic.rules)
def test_own_counters_add_up(bodies: list[dict[str, Any]], document: Any) -> None:
    """The folded counters of a root are the sum of the own ones of its origins, after each call."""
    rules = compile_rules(document, 1)
    world = World(rules)
    for call in calls(bodies, rules):
        world.plan([call])
        for root in [p for p in world.state.profiles.values() if p.root == p.id]:
            summed = Counters(types={}, live=[], origins=0)
            for origin in world.origins(root):
                counters.unite(summed, Counters(types=dict(origin.own.types), live=list(origin.own.live)))
            assert (summed.types, sorted(summed.live), summed.origins) == (
                root.folded.types, sorted(root.folded.live), root.folded.origins,
            )  # fmt: skip


@given(bodies, st.integers(1, 2))
def test_no_profile_exceeds_its_limits(bodies: list[dict[str, Any]], most: int) -> None:
    """Without aliases no profile ever holds more identifiers of a type than its limit."""
    rules = compile_rules({"limits": {type_: {"max": most} for type_ in ("user_id", "anonymous_id", "email")}}, 1)
    world = World(rules)
    for call in calls(bodies, rules):
        world.plan([call])
    for profile in world.state.profiles.values():
        if profile.root == profile.id:
            assert all(profile.folded.types.get(t, 0) <= most for t in ("user_id", "anonymous_id", "email"))


def test_an_innocent_identifier_is_kept() -> None:
    """One that does not fit is demoted alone; what comes after it is linked."""
    world = World()
    world.send(
        [
            {"type": "track", "event": "E", "userId": "u1", "anonymousId": "a1"},
            {"type": "track", "event": "E", "userId": "u2"},
        ]
    )
    outcome = world.send([
        {"type": "identify", "userId": "u2", "anonymousId": "a1", "traits": {"email": "x@y.org"},
         "context": {"device": {"type": "ios", "id": "d1"}}},
    ])[0]  # fmt: skip
    assert outcome.demoted == [{"identifier": "anonymous_id:a1", "reason": "limit:user_id"}]
    assert world.view(key_of("ios.id", "d1"))["identifiers"] == ["email:x@y.org", "ios.id:d1", "user_id:u2"]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 30)), max_size=20), st.integers(1, 4), st.integers(0, 30))
def test_a_window_counts_like_a_full_scan(seen: list[tuple[int, int]], most: int, after: int) -> None:
    """Up to one more than the limit, a window counts what a look at every identifier counts."""
    held = Counters(types={}, live=[], windows={"email": Window(most + 1, {})})
    last: dict[bytes, int] = {}
    for nr, time in seen:
        key = bytes((nr,))
        counters.mark_seen(held, BlindIndex(key), "email", Micros(time))
        last[key] = max(time, last.get(key, time))
    wanted = sum(time > after for time in last.values())
    assert min(counters.count_within(held, "email", after, set()), most + 1) == min(wanted, most + 1)


def aliased(*before: dict[str, Any], server: bool = True, **body: Any) -> tuple[World, list[dict[str, str]]]:
    """A world after these calls and an alias, and what the alias demoted."""
    world = World()
    world.send(before)
    call = read({"type": "alias", "messageId": "alias", **body}, world.rules, 0, Source(1, server=server))
    assert isinstance(call, Call)
    return world, world.plan([call]).outcomes[0].demoted


U1, U2 = {"type": "track", "event": "E", "userId": "u1"}, {"type": "track", "event": "E", "userId": "u2"}
A1 = {"type": "track", "event": "E", "anonymousId": "a1"}
BOTH = [["user_id:u1", "user_id:u2"]]
CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[list[str]], str | None]] = {
    "rename": ([U1], {"userId": "u2", "previousId": "u1"}, BOTH, None),
    "rename-public": (
        [U1], {"userId": "u2", "previousId": "u1", "server": False}, [["user_id:u1"], ["user_id:u2"]],
        "alias_needs_server_key",
    ),
    "unseen-previous": ([U2], {"userId": "u2", "previousId": "u1"}, BOTH, None),
    "both-unseen": ([], {"userId": "u2", "previousId": "u1"}, BOTH, None),
    "anonymous": ([U1, A1], {"userId": "u1", "previousId": "a1"}, [["anonymous_id:a1", "user_id:u1"]], None),
    "anonymous-of-another": (
        [{**U2, "anonymousId": "a1"}, U1], {"userId": "u1", "previousId": "a1"},
        [["anonymous_id:a1", "user_id:u2"], ["user_id:u1"]], "alias_both_known",
    ),
    "both-known": (
        [U1, U2], {"userId": "u2", "previousId": "u1"}, [["user_id:u1"], ["user_id:u2"]], "alias_both_known",
    ),
    "forced": ([U1, U2], {"userId": "u2", "previousId": "u1", "force": True}, BOTH, None),
    "itself": ([U1], {"userId": "u1", "previousId": "u1"}, [["user_id:u1"]], None),
    "blocked": ([U1], {"userId": "u1", "previousId": "null"}, [["user_id:u1"]], None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_alias_rule_gives_its_partition_and_reason(name: str) -> None:
    """Each rule of aliases by an example: the partition, and what is demoted for which reason."""
    before, body, partition, reason = CASES[name]
    world, demoted = aliased(*before, **body)
    assert sorted(sorted(profile["identifiers"]) for profile in world.profiles()) == partition
    assert [each["reason"] for each in demoted if each["reason"] != "blocked"] == ([] if reason is None else [reason])


def test_an_alias_retires_the_previous_user_id() -> None:
    """The old id resolves, does not count, and use does not revive it."""
    world, _ = aliased(U1, userId="u2", previousId="u1")
    world.send([{**U1, "messageId": "again"}])
    assert world.gained[key_of("user_id", "u1")].retired
    root = world.state.root_of(key_of("user_id", "u1"))
    assert root is not None
    assert root.folded.live == [key_of("user_id", "u2")]


def test_a_cut_keeps_apart_even_by_alias() -> None:
    """No call merges the two sides of a cut, a forced alias included."""
    world = World()
    cut = b"c" * 16
    world.state.cuts = {key_of("user_id", f"u{n}"): [(cut, n - 1)] for n in (1, 2)}
    world.send([U1, U2])
    outcome = world.send([{"type": "alias", "userId": "u2", "previousId": "u1", "force": True}])[0]
    assert outcome.demoted == [{"identifier": "user_id:u1", "reason": "separated"}]
    assert len(world.profiles()) == 2


def test_a_suppressed_identifier_leaves_no_trace() -> None:
    """A suppressed identifier is removed from the stored call, the traits and the links."""
    world = World()
    world.state.suppressed = {key_of("email", "x@y.org"), key_of("anonymous_id", "a1")}
    world.send([
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": " X@Y.org ", "plan": "pro"},
         "context": {"traits": {"email": "x@y.org"}}},
    ])  # fmt: skip
    record = world.plans[-1].evidence[0]
    assert "y.org" not in str(record.call.body).lower()
    assert "a1" not in str(record.call.body)
    view = world.view(key_of("user_id", "u1"))
    assert (view["identifiers"], view["traits"]) == (["user_id:u1"], {"plan": "pro"})


def test_a_call_of_a_suppressed_person_is_dropped() -> None:
    """A call whose strongest identifier is suppressed is not stored."""
    world = World()
    world.state.suppressed = {key_of("user_id", "u1")}
    outcome = world.send([{"type": "identify", "userId": "u1", "anonymousId": "a1"}])[0]
    assert (outcome.status, world.state.owners, world.state.message_keys) == ("suppressed", {}, set())
