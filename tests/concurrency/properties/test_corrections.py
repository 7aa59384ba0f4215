"""Unmerges and removals among calls: the stored rows equal those of the oracle in the order of stamps."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.store.corrections import rules
from identity.values.ids import public_profile
from tests.support.planning import traffic
from tests.support.planning.space_steps import ADMIN, QUIET, profiles, steps, take, written
from tests.support.processes.writer_processes import Examples, Ingest


def play(examples: Examples, taken: list[Any]) -> None:
    """All the steps, then the comparison."""

    async def example(ingest: Ingest) -> None:
        changes: list[tuple[int, int]] = []
        for step in taken:
            await take(ingest, step, changes)
        ingest.check(changes)

    examples.play(example)


@settings(QUIET, max_examples=10)
@given(taken=steps)
def test_acts_equal_the_pure_ones(examples: Examples, taken: list[Any]) -> None:
    """After any acts among any calls, every row is what the replay of them gives."""
    play(examples, taken)


@pytest.mark.soak
@settings(QUIET, max_examples=3_000)
@given(taken=steps)
def test_acts_and_calls_equal_the_oracle_over_many_examples(examples: Examples, taken: list[Any]) -> None:
    """The same over thousands of examples."""
    play(examples, taken)


def of(person: str, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Calls with identifiers that nobody else has."""
    made = []
    for call in calls:
        text = json.dumps({name: value for name, value in call.items() if name != "messageId"})
        for word in ("user-", "anon-", "@example", '"1"', '"2"'):
            text = text.replace(word, word.replace('"', "") + person if '"' not in word else f'"{person}{word[1]}"')
        made.append(json.loads(text))
    return made


def shape(profile: dict[str, Any]) -> dict[str, Any]:
    """A profile without what only counts how often it was touched."""
    return {name: value for name, value in profile.items() if name not in ("version", "updated_at")}


@settings(QUIET, max_examples=10)
@given(
    one=st.lists(traffic.calls(), min_size=1, max_size=6),
    other=st.lists(traffic.calls(), min_size=1, max_size=6),
    later=st.lists(traffic.calls(), max_size=6),
    at=st.integers(0, 99),
)
def test_an_unmerge_gives_back_what_was(
    examples: Examples, one: list[Any], other: list[Any], later: list[Any], at: int
) -> None:
    """Two people who were merged and parted are who they were, and no later call merges them."""

    async def example(ingest: Ingest) -> None:
        await put_rules(ingest.space, {"limits": {"user_id": {"max": 50}}, "alias_rename": "any"}, "test")
        await ingest.send(*of("x", one))
        await ingest.send(*of("y", other))
        before = await profiles(ingest)
        if len(before) < 2:
            return
        left, right = before[at % len(before)], before[(at + 1) % len(before)]
        texts = written(left)[0], written(right)[0]
        ids = [{"type": text.split(":", 1)[0], "id": text.split(":", 1)[1]} for text in texts]
        bridge = {"type": "track", "event": "E", "context": {"externalIds": [
            {**each, "collection": "users", "encoding": "none"} for each in ids]}}  # fmt: skip
        outcome = (await ingest.send(bridge))[0]
        if not outcome.merged:
            return
        parted = await unmerge_profile(ingest.space, written(right), block=True, source=ADMIN, actor="t")
        assert {public_profile(parted.profile_id), public_profile(parted.remaining_profile_id)} == {
            left["profile_id"],
            right["profile_id"],
        }
        after = {profile["profile_id"]: profile for profile in await profiles(ingest)}
        landed = min(ids, key=lambda each: rank(each["type"]))
        for profile in (left, right):
            now = after[profile["profile_id"]]
            mine = landed["type"] + ":" + landed["id"] in written(profile)
            assert now["event_count"] == profile["event_count"] + mine
            # The bridge named an identifier of each side, so it is the last call in which both were seen.
            assert now["last_seen"] == max(each["last_seen"] for each in now["identifiers"])
            again = {**shape(now), "event_count": profile["event_count"], "last_seen": profile["last_seen"]}
            for identifier, old in zip(again["identifiers"], profile["identifiers"], strict=True):
                identifier["last_seen"] = old["last_seen"]
            assert again == shape(profile)
        await ingest.send(bridge, *of("x", later), *of("y", later), bridge)
        owner = {text: profile["profile_id"] for profile in await profiles(ingest) for text in written(profile)}
        assert owner[texts[0]] != owner[texts[1]]
        ingest.check([(change, 1) for change in [await changed(ingest)]])

    examples.play(example)


async def changed(ingest: Ingest) -> int:
    """The stamp of the only change of rules."""
    async with ingest.space.database.reading() as connection:
        return (await rules.changes(connection, ingest.space.tenant.id))[0].stamp


def rank(type_: str) -> Any:
    """The priority of a type under the default rules."""
    return DEFAULT_RULES.rank(type_)
