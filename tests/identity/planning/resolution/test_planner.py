"""The planner applies the merging rules, above all those of alias calls."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.documents import cost
from tests.support.planning.mistaken_calls import mistaken_call
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of

END = 1_800_000_000 * 1_000_000


def alias(**more: Any) -> dict[str, Any]:
    """An alias of u1 to u2 by a server."""
    return {"type": "alias", "userId": "u2", "previousId": "u1", **more}


@pytest.mark.parametrize("known", [[], ["u1"], ["u1", "u2"]])
@pytest.mark.parametrize(
    ("more", "innocent"),
    [({"anonymousId": "a"}, "anonymous_id:a"), ({"context": {"traits": {"email": "e@x.org"}}}, "email:e@x.org")],
)
def test_the_other_identifiers_of_an_alias_are_kept(known: list[str], more: dict[str, Any], innocent: str) -> None:
    """The two user ids are exempt from limits, and do not demote the others."""
    world = World()
    world.send({"type": "track", "event": "E", "userId": user} for user in known)
    (outcome,) = world.send([alias(force=True, **more)])

    assert outcome.demoted == []
    assert sorted(["user_id:u1", "user_id:u2", innocent]) == world.view(key_of("user_id", "u2"))["identifiers"]


def test_an_alias_leaves_other_limits_in_force() -> None:
    """The profile of a third identifier is checked against the pair."""
    world = World()
    world.send(
        [{"type": "identify", "userId": "u3", "anonymousId": "a"}, {"type": "track", "event": "E", "userId": "u1"}]
    )
    (outcome,) = world.send([alias(anonymousId="a")])

    assert outcome.demoted == [{"identifier": "anonymous_id:a", "reason": "limit:user_id"}]


def test_the_pair_of_an_alias_counts_in_windows() -> None:
    """Against the other identifiers of its call."""
    world = World(compile_rules({"limits": {"anonymous_id": {"max": 1, "days": 7}}}, 1))
    world.send([{"type": "track", "event": "E", "userId": "u1"}, {"type": "track", "event": "E", "anonymousId": "a"}])
    first, second = world.send(
        [
            {"type": "alias", "userId": "u1", "previousId": "a", "anonymousId": "a"},
            {"type": "alias", "userId": "u1", "previousId": "a", "anonymousId": "b"},
        ]
    )

    assert first.demoted == []
    assert second.demoted == [{"identifier": "anonymous_id:b", "reason": "limit:anonymous_id"}]


def test_the_feed_gets_only_visible_changes() -> None:
    """A repeated value is no change; a newer time beside another origin may be one."""
    world = World()
    at = [{"timestamp": f"1969-01-0{day}T00:00:00Z"} for day in range(1, 8)]
    same = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}
    world.send([{**same, **at[0]}])
    before = world.view(key_of("user_id", "u1"))["version"]
    world.send([{**same, **at[1]}, {**same, **at[2], "traits": {"gone": None}}])
    assert before == world.view(key_of("user_id", "u1"))["version"]

    world.send([{"type": "identify", "anonymousId": "a", "traits": {"plan": "free"}, **at[3]}])
    world.send([{"type": "track", "event": "E", "userId": "u1", "anonymousId": "a", **at[4]}])
    merged = world.view(key_of("user_id", "u1"))
    world.send([{**same, **at[5]}])
    after = world.view(key_of("user_id", "u1"))
    assert (merged["traits"]["plan"], after["traits"]["plan"]) == ("free", "pro")
    assert after["version"] > merged["version"]


def test_the_size_of_a_document_is_that_of_its_entries() -> None:
    """After any replacement: True is longer than 1, also deep inside."""
    world = World()
    for round_, value in enumerate([[1] * 50, [True] * 50, "x", {"a": 1}, {"a": True}, {"a": 1.0}, "x", "x"]):
        world.send([{"type": "identify", "userId": "u1", "traits": {"t": value}, "messageId": f"m{round_}"}])
        (document,) = world.state.documents.values()
        assert sum(cost(name, entry[0]) for name, entry in document.traits.items()) == document.size


def test_a_previous_id_that_is_blocked_in_one_reading_is_found_in_the_other() -> None:
    """The pattern blocks user ids, and the previous id is a known anonymous id."""
    world = World(compile_rules({"blocked": {"user_id": ["anon-.*"]}}, 1))
    world.send(
        [{"type": "track", "event": "E", "anonymousId": "anon-1"}, {"type": "track", "event": "E", "userId": "u1"}]
    )
    world.send([{"type": "alias", "userId": "u1", "previousId": "anon-1"}])
    world.send([{"type": "alias", "userId": "u1", "previousId": "anon-2"}])

    assert world.view(key_of("user_id", "u1"))["identifiers"] == ["anonymous_id:anon-1", "user_id:u1"]


def test_an_alias_links_only_to_the_user_id_of_the_call() -> None:
    """A blocked user id links nothing, also beside another user id in the call."""
    world = World()
    world.state.blocked = {key_of("user_id", "u1")}
    other = {"externalIds": [{"type": "user_id", "id": "u9"}]}
    world.send([{"type": "track", "event": "E", "userId": "p"}])
    world.send([{"type": "alias", "userId": "u1", "previousId": "p", "context": other}])

    assert world.view(key_of("user_id", "p"))["identifiers"] == ["user_id:p"]
    assert world.view(key_of("user_id", "u9"))["identifiers"] == ["user_id:u9"]


def test_an_anonymous_id_equal_to_a_known_user_id_is_linked_as_well() -> None:
    """The previous id names the user; the anonymous id of the call is an identifier of its own."""
    world = World()
    world.send([{"type": "track", "event": "E", "userId": "x"}])
    world.send([{"type": "alias", "userId": "y", "previousId": "x", "anonymousId": "x"}])

    assert world.view(key_of("user_id", "y"))["identifiers"] == ["anonymous_id:x", "user_id:x", "user_id:y"]


@pytest.mark.parametrize("more", [{}, {"userId": "null"}, {"previousIdType": "anonymous_id"}])
def test_a_suppressed_previous_id_that_links_nothing_is_not_kept(more: dict[str, Any]) -> None:
    """The stored body does not hold the previous id."""
    world = World()
    world.state.suppressed = {key_of("user_id", "gone"), key_of("anonymous_id", "gone")}
    (outcome,) = world.send([{"type": "alias", "previousId": "gone", "anonymousId": "a", **more}])

    assert (outcome.status, "gone" in str(outcome)) == ("accepted", False)
    (record,) = world.plans[-1].evidence
    assert "previousId" not in record.call.body


@given(st.integers(0, 2**32))
def test_every_stated_identifier_is_kept_or_demoted_with_a_reason(seed: int) -> None:
    """A call is accepted, or its status has a reason; previous ids of aliases are left out."""
    chance, world = random.Random(seed), World()
    for number in range(20):
        body, stated = mistaken_call(chance, number)
        if body.get("type") == "alias":
            continue
        outcome = world.send([body], received=END)[0]
        kept = 0
        if outcome.status == "accepted":
            made = world.plans[-1]
            kept = len((made.evidence or made.events)[0].kept)
        else:
            assert outcome.reason is not None
        # A placeholder group is demoted as well, and is no identifier.
        stated += sum(each["identifier"].startswith("group_id:") for each in outcome.demoted)
        if outcome.status != "rejected":
            assert kept + len(outcome.demoted) == stated, (body, outcome)
        assert all(each["reason"] for each in outcome.demoted)
