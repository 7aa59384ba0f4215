"""Erasing people: everything goes in one commit, and nothing of theirs comes back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.manage_holds import list_holds, place_hold, release_hold
from identity.operations.privacy.manage_suppressions import count_suppressions, lift_suppressions, suppress_identifiers
from identity.operations.privacy.read_requests import get_request
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile, held, list_profiles
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.spaces.space import Space
from identity.store.postgres.database import Connection
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.rows import EvidenceRow
from identity.store.profiles import evidence as evidence_queries
from identity.values.calls import Source
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
from identity.values.errors import AlreadyErased, IdempotencyConflict, ProfileNotFound, TooManyAsked
from identity.values.ids import public
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

TABLES = (
    "identifier", "profile_identifier", "profile_document", "profile", "evidence", "event", "history", "sighting",
    "membership", "account", "subject_key", "cut", "disclosure",
)  # fmt: skip


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def erase(
    space: Space, *identifiers: str, kind: RequestKind = RequestKind.SUPPRESS_WITH_DELETE, **more: Any
) -> PrivacyRequest:
    """An erasure as a privacy team asks for it."""
    return await request_erasure(
        space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=kind,
            regulation=Law.GDPR,
            identifiers=identifiers,
            actor="key_test",
            **more,
        ),
    )


def left(lab: Lab) -> dict[str, int]:
    """What lies in the tables of people."""
    counts = {table: lab.query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
    return {table: count for table, count in counts.items() if count}


async def gone(space: Space, identifiers: Sequence[str]) -> bool:
    """Whether none of these leads anywhere."""
    for each in identifiers:
        with pytest.raises(ProfileNotFound):
            await get_profile(space, each)
    return True


async def sound(ingest: Ingest) -> bool:
    """Whether an audit finds nothing, before and after a rebuild, which is one for good.

    The first may change when somebody was born: who was parted lives on as if they had never met.
    """
    assert await discrepancies(ingest) == []
    await rebuild_space(ingest.space, 1, ignore_progress)
    assert (await rebuild_space(ingest.space, 1, ignore_progress)).profiles_changed == 0
    assert await discrepancies(ingest) == []
    return True


async def test_no_row_key_or_document_of_the_person_is_left(lab: Lab) -> None:
    """Of several origins; later calls are not recorded."""
    async with ingesting(lab) as ingest:
        first = (await ingest.send({"type": "track", "anonymousId": "a1", "event": "E"}))[0].profile_id
        await ingest.send({"type": "identify", "userId": "u1", "traits": {"email": "ann@example.org", "plan": "p"}})
        await ingest.send({"type": "identify", "userId": "u1", "anonymousId": "a1"})
        await ingest.send({"type": "group", "userId": "u1", "groupId": "g1"})
        done = await erase(ingest.space, "email:Ann@example.org")
        assert [each.state for each in done.erasures] == [ErasureState.FINISHED]
        counts = done.erasures[0].counts
        assert counts is not None
        assert counts.keys == 3, "two origins and the group"
        assert counts.rows["membership"] == 1
        assert left(lab) == {}
        assert await gone(ingest.space, ["user_id:u1", "anonymous_id:a1", "email:ann@example.org", str(first)])
        for call in (
            {"type": "track", "anonymousId": "a1", "event": "E"},
            {"type": "track", "userId": "u1", "event": "E"},
        ):
            assert [each.status for each in await ingest.send(call)] == ["suppressed"]
        assert left(lab) == {}
        assert await sound(ingest)


async def test_a_deleted_person_who_returns_is_somebody_new(lab: Lab) -> None:
    """With another key; late calls stay out."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}})
        before = await get_profile(ingest.space, "user_id:u1")
        await erase(ingest.space, "user_id:u1", kind=RequestKind.DELETE_ONLY)
        late = {"type": "track", "userId": "u1", "event": "E", "timestamp": "2026-01-01T00:00:00Z"}
        assert [each.status for each in await ingest.send(late)] == ["suppressed"]
        beside = {"type": "identify", "userId": "u2", "traits": {"email": "x@example.org"}, **_named("u1", late)}
        assert [each.status for each in await ingest.send(beside)] == ["accepted"]
        assert [each.status for each in await ingest.send({"type": "identify", "userId": "u1"})] == ["accepted"]
        after = await get_profile(ingest.space, "user_id:u1")
        assert after.traits == {}
        assert after.id != before.id
        assert await sound(ingest)


def _named(user: str, late: dict[str, Any]) -> dict[str, Any]:
    return {"timestamp": late["timestamp"], "context": {"traits": {"account": user}}}


async def test_lifting_brings_nothing_back(lab: Lab) -> None:
    """New calls are recorded again."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}})
        await erase(ingest.space, "user_id:u1")
        assert (await count_suppressions(ingest.space)).total == 1
        await lift_suppressions(ingest.space, ["user_id:u1"], "key_test")
        assert (await count_suppressions(ingest.space)).total == 0
        late = {"type": "track", "userId": "u1", "event": "E", "timestamp": "2026-01-01T00:00:00Z"}
        assert [each.status for each in await ingest.send(late)] == ["suppressed"]
        assert [each.status for each in await ingest.send({"type": "identify", "userId": "u1"})] == ["accepted"]
        assert (await get_profile(ingest.space, "user_id:u1")).traits == {}
        await suppress_identifiers(ingest.space, ["user_id:u1"], "key_test")
        assert [each.status for each in await ingest.send({"type": "identify", "userId": "u1"})] == ["suppressed"]
        assert (await get_profile(ingest.space, "user_id:u1")).event_count == 1
        assert await sound(ingest)


async def test_one_side_of_an_unmerge_is_erased_alone(lab: Lab) -> None:
    """The other is whole, and a rebuild keeps the unmerge."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}})
        await ingest.send({"type": "identify", "anonymousId": "a1", "traits": {"email": "dora@example.org"}})
        source = Source(1)
        named = ["email:dora@example.org"]
        await unmerge_profile(ingest.space, named, block=True, source=source, actor="key_test")
        assert await sound(ingest)
        done = await erase(ingest.space, "user_id:u1")
        assert done.erasures[0].state == ErasureState.FINISHED
        assert await sound(ingest)
        assert [each.value for each in (await get_profile(ingest.space, named[0])).identifiers] == ["dora@example.org"]
        stranger = {"type": "track", "anonymousId": "a1", "event": "E"}
        assert [each.status for each in await ingest.send(stranger)] == ["suppressed"]


async def test_the_same_request_again_is_one_request(lab: Lab) -> None:
    """The same person twice is a duplicate; an unknown person is no error."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "anonymousId": "a1"})
        both = ("user_id:u1", "anonymous_id:a1", "user_id:stranger")
        done = await erase(ingest.space, *both, idempotency="once")
        again = await erase(ingest.space, *both, idempotency="once")
        assert again == done
        assert [each.state for each in done.erasures] == [
            ErasureState.FINISHED,
            ErasureState.DUPLICATE,
            ErasureState.FINISHED,
        ]
        assert done.erasures[1].duplicate_of == done.erasures[0].id
        assert done.erasures[2].counts == done.erasures[2].counts
        unknown = done.erasures[2].counts
        assert unknown is not None
        assert (unknown.keys, unknown.rows) == (0, {})
        with pytest.raises(IdempotencyConflict):
            await erase(ingest.space, "user_id:u2", idempotency="once")
        other = await erase(ingest.space, "user_id:u1")
        assert other.erasures[0].id != done.erasures[0].id
        assert other.erasures[0].counts == unknown
        with pytest.raises(AlreadyErased):
            await cancel_request(ingest.space, done.id, "key_test")
        with pytest.raises(TooManyAsked):
            await erase(ingest.space, *(f"user_id:{n}" for n in range(5_001)))


async def test_a_hold_keeps_the_data_unreadable_until_its_end(lab: Lab) -> None:
    """Nothing is destroyed, read or added; its end erases."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "anonymousId": "a1"})
        hold = await place_hold(ingest.space, ["anonymous_id:a1"], "case 12", "key_test")
        other = await place_hold(ingest.space, ["user_id:u1"], "case 13", "key_test")
        done = await erase(ingest.space, "user_id:u1")
        assert done.erasures[0].state == ErasureState.ON_HOLD
        assert await gone(ingest.space, ["user_id:u1", "anonymous_id:a1"])
        assert left(lab)["evidence"] == 1
        (kept,) = await held(ingest.space, public("hld", hold.id))
        assert [each.value for each in kept.identifiers] == ["u1", "a1"]
        assert (await list_profiles(ingest.space, 10, None)).profiles == []
        assert [each.status for each in await ingest.send({"type": "identify", "userId": "u1"})] == ["suppressed"]
        assert await discrepancies(ingest) == []
        assert (await release_hold(ingest.space, public("hld", other.id), "key_test")).resumed == 0
        assert [each.reason for each in await list_holds(ingest.space)] == ["case 12"]
        assert (await release_hold(ingest.space, public("hld", hold.id), "key_test")).resumed == 1
        assert (await get_request(ingest.space, done.id)).erasures[0].state == ErasureState.FINISHED
        assert left(lab) == {}
        assert await sound(ingest)


async def test_orphaned_calls_are_erased_too(lab: Lab) -> None:
    """Those of a person whom the rules leave no profile."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "traits": {"plan": "pro"}})
        await ingest.send({"type": "identify", "userId": "u2"})
        await put_rules(ingest.space, {"blocked": {"user_id": ["u1"]}}, "key_test")
        await rebuild_space(ingest.space, 1, ignore_progress)
        assert await gone(ingest.space, ["user_id:u1"])
        assert left(lab)["subject_key"] == 2
        done = await erase(ingest.space, "user_id:u1")
        counts = done.erasures[0].counts
        assert counts is not None
        assert counts.keys == 1
        assert left(lab)["subject_key"] == left(lab)["profile"] == left(lab)["evidence"] == 1
        assert await sound(ingest)


async def test_orphaned_calls_are_read_once_for_all_identifiers_of_a_request(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And before the space lock is held."""
    read = []
    by_origins = evidence_queries.by_origins

    async def counted(connection: Connection, *given: Any) -> list[EvidenceRow]:
        read.append(isinstance(connection, PipelineConnection))
        return await by_origins(connection, *given)

    async with ingesting(lab) as ingest:
        people = [f"u{nr}" for nr in range(4)]
        await ingest.send(*({"type": "identify", "userId": each} for each in people))
        await put_rules(ingest.space, {"blocked": {"user_id": people[:3]}}, "key_test")
        await rebuild_space(ingest.space, 1, ignore_progress)
        monkeypatch.setattr(evidence_queries, "by_origins", counted)
        await erase(ingest.space, "user_id:x", "user_id:y", "user_id:z")
        # One page outside of the lock; under the lock only what unmerges need.
        assert read.count(False) == 1
        await put_rules(ingest.space, {"blocked": {"user_id": people}}, "key_test")
        await rebuild_space(ingest.space, 1, ignore_progress)
        done = await erase(ingest.space, *(f"user_id:{each}" for each in people))
        assert [each.counts and each.counts.keys for each in done.erasures] == [1, 1, 1, 1]
        assert left(lab) == {}
