"""The battery's scenarios over HTTP, each in a space of its own."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.app.conftest import Shop
from tests.support.http.battery import listed, play, written
from tests.support.planning.scenarios import HELD, matching, tally


@pytest.mark.parametrize("scenario", HELD, ids=[s["id"] for s in HELD])
def test_the_server_gives_what_the_scenario_expects(scenario: dict[str, Any], shop: Shop) -> None:
    """The server gives what the scenario expects."""
    outcomes = play(shop, scenario)
    found = listed(shop)
    expect = matching(scenario["expect"], [written(profile) for profile in found])
    assert expect is not None, f"partition: {sorted(written(profile) for profile in found)}"
    owner = {text: profile for profile in found for text in written(profile)}
    for text, traits in expect.get("traits", {}).items():
        assert {name: owner[text]["traits"].get(name, "$absent") for name in traits} == traits
    for text, categories in expect.get("consents", {}).items():
        for category, value in categories.items():
            want = {"value": value, "conflict": False} if isinstance(value, bool) else value
            assert {name: owner[text]["consent"][category][name] for name in want} == want
    for text, groups in expect.get("groups", {}).items():
        assert owner[text]["groups"] == sorted(groups)
    for group, traits in expect.get("group_traits", {}).items():
        assert shop.ask("GET", f"/v1/groups/{quote(group, safe='')}").json()["traits"] == traits
    for text, events in expect.get("events_on", {}).items():
        assert owner[text]["event_count"] == events
    counts = tally(outcomes)
    for name, value in expect.get("stats", {}).items():
        assert counts[name] == (sorted(value) if isinstance(value, list) else value)
