"""A rebuild against a fresh ingest of the same calls under the new rules."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.planning.corrections.rules_types import types_of
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import source
from identity.spaces.blind_indexes import index_call
from identity.values.calls import ACTS, STORED_KINDS
from identity.values.identifiers import BUILT_IN
from tests.support.integrity.space_audit import ignore_progress
from tests.support.integrity.stored_rows import Stored
from tests.support.keys.token_signer import Sign, token_signer
from tests.support.planning import traffic
from tests.support.planning.oracle import World
from tests.support.planning.space_steps import QUIET, profiles, steps, take, written
from tests.support.processes.writer_processes import Examples, Ingest


async def send_all(ingest: Ingest, requests: list[Any], sign: Sign) -> None:
    """Requests of servers, of public keys and of public keys with identity tokens, one after the other."""
    for request in requests:
        await ingest.send(*traffic.signed_calls(request, sign)["items"], server=request["server"])


async def rebuild(ingest: Ingest) -> int:
    """Rebuilds the space; how many profiles that changed."""
    return (await rebuild_space(ingest.space, 1, ignore_progress)).profiles_changed


def fresh(ingest: Ingest, rules: Rules) -> World:
    """The world after a fresh ingest of the stored calls under these rules."""
    stored = Stored(ingest.lab.url, ingest.lab.keyring(), ingest.space.tenant.id)
    world = World(rules)
    for logged in stored.log:
        kept = logged.kept_call
        kind = STORED_KINDS[kept.kind]
        if not logged.evidence or kind in ACTS:
            continue
        call = extract(
            kept.body,
            kind=kind,
            rules=rules,
            received=kept.received,
            sent_at=None,
            source=source(kept),
            token=kept.token,
        )
        call.time, call.message_id = kept.time, kept.message_id
        known = {*BUILT_IN, *ingest.space.codes, *types_of(rules)}
        # A public key introduces no type.
        assert {i.type for i in call.identifiers} <= known or not (call.source.server or rules.public.trusted)
        call.identifiers = [i for i in call.identifiers if i.type in known]
        index_call(ingest.space.keys, call, set())
        call.message_key = logged.stamp.to_bytes(16, "big")
        world.plan([call], lambda _, at=logged.stamp: at)  # type: ignore[misc]
    return world


def shown(profile: dict[str, Any]) -> dict[str, Any]:
    """The fields of a profile that do not depend on ids."""
    return {
        "identifiers": written(profile),
        "retired": sorted(i["value"] for i in profile["identifiers"] if i["retired"]),
        "traits": profile["traits"],
        "consent": {name: (answer["value"], answer["conflict"]) for name, answer in profile["consent"].items()},
        "groups": profile["groups"],
    }


def expected(world: World) -> list[dict[str, Any]]:
    """The same fields of the profiles of the oracle."""
    return [
        {
            "identifiers": view["identifiers"],
            "retired": sorted(
                g.identifier.value
                for g in world.gained.values()
                if g.retired and g.identifier.text in view["identifiers"]
            ),
            "traits": view["traits"],
            "consent": {name: (answer.value, answer.conflict) for name, answer in view["consent"].items()},
            "groups": view["groups"],
        }
        for view in world.profiles()
    ]


def by_name(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In an order that both sides share."""
    return sorted(found, key=lambda each: each["identifiers"])


def check(examples: Examples, sent: list[Any], first: Any, then: Any, later: list[Any]) -> None:
    """Ingest, change, rebuild, go on: it is as if the new rules had always been there."""

    async def example(ingest: Ingest) -> None:
        sign = await token_signer(ingest.space)
        await put_rules(ingest.space, first, "test")
        await send_all(ingest, sent, sign)
        before = await profiles(ingest)
        version = (await put_rules(ingest.space, then, "test")).version
        rules = await ingest.space.rules(version)
        world = fresh(ingest, rules)
        await rebuild(ingest)
        assert by_name([shown(each) for each in await profiles(ingest)]) == by_name(expected(world))
        ids = {each["profile_id"] for each in before}
        assert {each["profile_id"] for each in await profiles(ingest)} <= ids | await all_ids(ingest)
        assert await rebuild(ingest) == 0
        await send_all(ingest, later, sign)
        await rebuild(ingest)
        world = fresh(ingest, rules)
        assert by_name([shown(each) for each in await profiles(ingest)]) == by_name(expected(world))

    examples.play(example)


async def all_ids(ingest: Ingest) -> set[str]:
    """Every id that there is a row of."""
    found = ingest.lab.query("SELECT profile_id FROM profile WHERE space_id = %s", ingest.space.tenant.id)
    return {f"prf_{id_.hex}" for (id_,) in found}


INGESTED = {
    "sent": st.lists(traffic.requests, min_size=1, max_size=4),
    "first": traffic.rules,
    "then": traffic.rules,
    "later": st.lists(traffic.requests, max_size=2),
}
AT_ONCE = {
    "sent": st.lists(traffic.requests, min_size=3, max_size=6),
    "then": traffic.rules_without_days,
    "meanwhile": st.lists(st.lists(traffic.requests, min_size=2, max_size=5), min_size=4, max_size=4),
}


@settings(QUIET, max_examples=7)
@given(**INGESTED)
def test_a_rebuild_equals_a_fresh_ingest(
    examples: Examples, sent: list[Any], first: Any, then: Any, later: list[Any]
) -> None:
    """Partition, traits, consent, memberships are those of the kept calls under the new rules."""
    check(examples, sent, first, then, later)


@pytest.mark.soak
@settings(QUIET, max_examples=1_000)
@given(**INGESTED)
def test_a_rebuild_equals_a_fresh_ingest_over_many_examples(
    examples: Examples, sent: list[Any], first: Any, then: Any, later: list[Any]
) -> None:
    """The same over a thousand examples."""
    check(examples, sent, first, then, later)


async def settle(ingest: Ingest, taken: list[Any], then: Any) -> None:
    """Steps, new rules, a rebuild, and a second one."""
    for step in taken:
        await take(ingest, step, [])
    await put_rules(ingest.space, then, "test")
    await rebuild(ingest)
    before = await profiles(ingest)
    assert await rebuild(ingest) == 0
    assert await profiles(ingest) == before
    cuts = ingest.lab.query("SELECT cut, side, key FROM cut WHERE space_id = %s", ingest.space.tenant.id)
    assert len({cut for cut, _, _ in cuts}) <= sum(step[0] == "unmerge" for step in taken)


@settings(QUIET, max_examples=7)
@given(taken=steps, then=traffic.rules)
def test_a_rebuild_after_acts_settles(examples: Examples, taken: list[Any], then: Any) -> None:
    """Whatever was undone before: a rebuild can be made, and a second one finds nothing to do."""
    examples.play(lambda ingest: settle(ingest, taken, then))


@pytest.mark.soak
@settings(QUIET, max_examples=1_000)
@given(taken=steps, then=traffic.rules)
def test_a_rebuild_after_acts_settles_over_many_examples(examples: Examples, taken: list[Any], then: Any) -> None:
    """The same over a thousand examples."""
    examples.play(lambda ingest: settle(ingest, taken, then))


async def go_on(ingest: Ingest, sent: list[Any], then: Any, meanwhile: list[Any]) -> None:
    """Two rebuilds among senders, then the comparison."""
    sign = await token_signer(ingest.space)
    # A server introduces the types: a rebuild links identifiers of a type that was unknown before, other calls do not.
    types = [{"type": type_, "id": "first"} for type_ in ("crm", "loyalty.id")]
    await ingest.send({"type": "page", "userId": "first", "context": {"externalIds": types}})
    await send_all(ingest, sent, sign)
    version = (await put_rules(ingest.space, then, "test")).version
    await asyncio.gather(rebuild(ingest), rebuild(ingest), *(send_all(ingest, each, sign) for each in meanwhile))
    world = fresh(ingest, await ingest.space.rules(version))
    assert by_name([shown(each) for each in await profiles(ingest)]) == by_name(expected(world))
    assert await rebuild(ingest) == 0


@settings(QUIET, max_examples=5)
@given(**AT_ONCE)
def test_a_rebuild_while_ingest_goes_on(examples: Examples, sent: list[Any], then: Any, meanwhile: list[Any]) -> None:
    """Calls that come in during the walk make no difference to what it comes to."""
    examples.play(lambda ingest: go_on(ingest, sent, then, meanwhile))


@pytest.mark.soak
@settings(QUIET, max_examples=1_000)
@given(**AT_ONCE)
def test_a_rebuild_while_ingest_goes_on_over_many_examples(
    examples: Examples, sent: list[Any], then: Any, meanwhile: list[Any]
) -> None:
    """The same over a thousand examples."""
    examples.play(lambda ingest: go_on(ingest, sent, then, meanwhile))
