"""One batch beside another: neighbours, races, and what a batch finds under its own feet."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from identity.operations.ingest.commit import BatchWriter
from identity.planning.resolution.planner import _Planner
from identity.spaces import new_subject_keys
from identity.values.enums import SpaceMark
from identity.values.stamps import Clock
from tests.support.processes.writer_processes import Ingest, Lab, ingesting, request

U1 = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


RACES: dict[str, list[dict[str, Any]]] = {
    "identifier": [{"type": "identify", "userId": f"u{n % 2}", "anonymousId": "a"} for n in range(8)],
    "message": [{"type": "track", "event": "E", "userId": f"u{n}", "messageId": "m1"} for n in range(8)],
    "group": [{"type": "group", "userId": f"u{n}", "groupId": "g", "traits": {"n": n}} for n in range(8)],
    "alias": [{"type": "alias", "userId": f"u{n % 3}", "previousId": f"u{(n + 1) % 3}"} for n in range(8)],
    "limit": [{"type": "track", "event": "E", "userId": f"u{n % 3}", "anonymousId": f"a{n % 2}"} for n in range(8)],
}


@pytest.mark.parametrize("name", RACES)
async def test_writers_that_insert_the_same_rows_make_one_of_them(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever two writers insert at once, one of them plans again and both are right."""
    monkeypatch.setattr(new_subject_keys, "KEY_SLOTS", 1)
    async with ingesting(lab) as ingest:
        writers = [BatchWriter(ingest.spaces.database) for _ in RACES[name]]
        requests = [request(item) for item in RACES[name]]
        for each in requests:
            await each.read(ingest.space, await ingest.space.rules())
        await asyncio.gather(
            *(writer.write(ingest.space, [each]) for writer, each in zip(writers, requests, strict=True))
        )
        statuses = sorted(outcome.status for each in requests for outcome in each.outcomes if outcome)
        alone = name == "message"
        assert statuses == ["accepted", *(["duplicate" if alone else "accepted"] * (len(requests) - 1))]
        ingest.check()
        for writer in writers:
            await writer.close()


async def test_a_planner_that_fails_for_one_call_fails_its_request_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error nobody thought of fails the request it is in, and none beside it."""
    accept = _Planner.accept

    def faulty(self: _Planner, call: Any) -> Any:
        if call.message_id == "bad":
            raise ZeroDivisionError
        return accept(self, call)

    monkeypatch.setattr(_Planner, "accept", faulty)

    async with ingesting(lab, writers=1) as ingest:
        sent = [ingest.send({**U1, "userId": f"u{n}", "messageId": "bad" if n == 2 else f"m{n}"}) for n in range(5)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert [isinstance(a, ZeroDivisionError) for a in answers] == [n == 2 for n in range(5)]
        assert sorted(ingest.log()) == ["m0", "m1", "m3", "m4"]
        ingest.check()


async def test_a_profile_that_cannot_be_opened_fails_its_request_alone(lab: Lab) -> None:
    """Broken data of one profile fails the requests that touch it, and none beside them."""
    async with ingesting(lab, writers=1) as ingest:
        await ingest.send(U1)
        lab.query("UPDATE profile_document SET document = set_byte(document, 90, get_byte(document, 90) # 1)")
        sent = [ingest.send({**U1, "userId": f"u{n}"}) for n in range(4)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert [isinstance(a, Exception) for a in answers] == [n == 1 for n in range(4)]


async def test_traits_for_a_profile_linked_in_the_same_batch(lab: Lab) -> None:
    """An identifier linked earlier in a batch leads later calls to a document that was there before."""
    async with ingesting(lab) as ingest:
        await ingest.send(U1)
        outcomes = await ingest.send(
            {"type": "track", "event": "E", "userId": "u1", "anonymousId": "a1"},
            {"type": "track", "event": "E", "anonymousId": "a1", "context": {"traits": {"email": "x@y.org"}}},
            {"type": "identify", "traits": {"email": "x@y.org", "plan": "free"}},
        )
        assert [o.status for o in outcomes] == ["accepted"] * 3
        ingest.check()


@pytest.mark.parametrize("mark", ["blocked_key", "suppression"])
async def test_a_repeated_call_with_a_barred_identifier(lab: Lab, mark: str) -> None:
    """A call that names a barred identifier beside another one may come any number of times."""
    async with ingesting(lab) as ingest:
        space, tenant = ingest.space, ingest.space.tenant
        keys = {"blocked_key": space.keys.identifier, "suppression": space.keys.suppression}
        lab.query(
            f"INSERT INTO {mark} (key, space_id, bucket) VALUES (%s, %s, %s)",
            keys[mark]("anonymous_id", "a1"), tenant.id, tenant.base,
        )  # fmt: skip
        bit = {"blocked_key": SpaceMark.BLOCKED, "suppression": SpaceMark.SUPPRESSED}[mark]
        lab.query("UPDATE space_gate SET marks = %s WHERE space_id = %s", bit, tenant.id)
        item = {"type": "track", "event": "E", "userId": "u1", "anonymousId": "a1"}
        for _ in range(3):
            assert (await ingest.send(item))[0].status == "accepted"
        assert lab.query("SELECT count(*) FROM identifier") == [(1,)]
        assert lab.query("SELECT count FROM sighting") == [(3,)]


async def _ahead(ingest: Ingest, seconds: int) -> BatchWriter:
    """A writer of a host whose clock is ahead."""
    writer = BatchWriter(ingest.spaces.database)
    await writer.write(ingest.space, [])
    clock = Clock(writer.clock.slot, writer.clock.until, lambda: time.time_ns() + seconds * 10**9)
    writer._writer.clock = clock
    return writer


async def test_group_calls_of_clocks_that_differ_fold_by_event_time(lab: Lab) -> None:
    """Stamps follow those of the group as well, so the order of its calls is the order of their stamps."""
    async with ingesting(lab) as ingest:
        ahead, behind = await _ahead(ingest, 5), await _ahead(ingest, 0)
        group = {"type": "group", "groupId": "g", "timestamp": "2026-01-02T00:00:00Z"}
        earlier = {**group, "timestamp": "2026-01-01T00:00:00Z"}
        for writer, item in (
            (behind, {**group, "userId": "u1"}),
            (behind, {**group, "userId": "u2"}),
            (ahead, {**earlier, "userId": "u1", "traits": {"n": 1}}),
            (behind, {**earlier, "userId": "u2", "traits": {"n": 2}}),
        ):
            each = request(item)
            await each.read(ingest.space, await ingest.space.rules())
            await writer.write(ingest.space, [each])
        ingest.check()
        await ahead.close()
        await behind.close()
