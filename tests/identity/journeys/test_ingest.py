"""Writing calls: what is acknowledged is stored once, whatever breaks on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from identity.clock import Clock
from identity.journeys.ingest import commit as committing
from identity.journeys.ingest.commit import Writer
from identity.journeys.rules import put_rules
from identity.planning.merge import _Planner
from identity.store import apply as store
from identity.store import load
from identity.store.database import Connection
from tests.properties.lab import Ingest, Lab, ingesting, request, run

Broken = Callable[[Lab, Connection], Awaitable[None]]
U1 = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def _killed_before(lab: Lab, connection: Connection) -> None:
    lab.query("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
    await connection.execute("COMMIT")


async def _lost_after(_lab: Lab, connection: Connection) -> None:
    await connection.execute("COMMIT")
    await connection.close()
    raise psycopg.OperationalError("the connection was lost")


async def _lost_in_flight(_lab: Lab, connection: Connection) -> None:
    connection.pgconn.send_query(b"COMMIT")
    connection.pgconn.flush()
    connection.pgconn.finish()
    raise psycopg.OperationalError("the connection was lost")


def break_commits(
    monkeypatch: pytest.MonkeyPatch, lab: Lab, how: list[Broken], between: Callable[[], Awaitable[Any]] | None = None
) -> None:
    """The next commits break as told; `between` runs once one has."""
    left = list(how)

    async def commit(connection: Connection) -> None:
        if not left:
            await store.commit(connection)
            return
        try:
            await left.pop(0)(lab, connection)
        finally:
            if between is not None:
                await between()

    monkeypatch.setattr(committing, "commit", commit)


BREAKS = [
    [_killed_before],
    [_lost_after],
    [_lost_in_flight],
    [_killed_before, _lost_after],
    [_lost_after, _killed_before],
    [_lost_in_flight, _lost_in_flight],
]


@pytest.mark.parametrize("how", BREAKS, ids=lambda how: "-".join(each.__name__.strip("_") for each in how))
@pytest.mark.parametrize("message_id", ["m1", None], ids=["with-id", "without-id"])
def test_a_broken_commit_is_settled(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, how: list[Broken], message_id: str | None
) -> None:
    """A connection lost before, while or after COMMIT runs: each call is answered and stored once."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            await ingest.send({**U1, "userId": "u0"})
            break_commits(monkeypatch, lab, how)
            items = [{**U1, "messageId": message_id}, {"type": "track", "userId": "u1"}, {"type": "track"}]
            outcomes = await ingest.send(*items)
            assert [o.status for o in outcomes] == ["accepted", "accepted", "unresolved"]
            assert [o.created for o in outcomes] == [True, False, False]
            assert len(ingest.log()) == 3
            ingest.check()

    run(main())


def test_a_commit_lost_while_the_rules_change(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit whose answer is lost counts, although the rules are others when it is settled."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            await ingest.send({**U1, "userId": "u0"})
            changes = []

            async def change() -> None:
                changes.append((0, await put_rules(ingest.space, {"max_merges": 3}, "test")))
                changes[-1] = (ingest.gate(), changes[-1][1])

            break_commits(monkeypatch, lab, [_lost_after], change)
            outcomes = await ingest.send(U1, {"type": "track", "userId": "u1"})
            assert [o.status for o in outcomes] == ["accepted", "accepted"]
            assert len(ingest.log()) == 3
            ingest.check(changes)

    run(main())


def test_a_repeat_after_a_lost_commit_is_a_duplicate(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender who sends a settled call again is told so, and nothing is stored."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            break_commits(monkeypatch, lab, [_lost_after])
            first = await ingest.send({**U1, "messageId": "m1"})
            again = await ingest.send({**U1, "messageId": "m1"})
            assert [first[0].status, again[0].status] == ["accepted", "duplicate"]
            assert ingest.log() == ["m1"]

    run(main())


def test_a_lease_that_was_taken_over(lab: Lab) -> None:
    """A writer whose slot belongs to another writes nothing on it, takes a new one and goes on."""

    async def main() -> None:
        async with ingesting(lab, writers=1) as ingest:
            await ingest.send(U1)
            before = set(lab.query("SELECT slot, holder FROM writer_slot"))
            lab.query("UPDATE writer_slot SET holder = gen_random_uuid()")
            outcomes = await ingest.send({"type": "track", "userId": "u1"})
            assert outcomes[0].status == "accepted"
            slots = dict(lab.query("SELECT slot, holder FROM writer_slot"))
            assert len(slots) == 2
            assert before.isdisjoint(slots.items())
            stamps = [stamp for (stamp,) in lab.query("SELECT stamp FROM event")]
            assert [stamp & 255 for stamp in stamps] == [1]
            ingest.check()

    run(main())


def test_a_missing_partition_is_made(lab: Lab) -> None:
    """Events that come on a day without a partition are stored, once one is made."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            await ingest.send(U1, {"type": "track", "userId": "u1"})
            for (name,) in lab.query("SELECT relid::regclass::text FROM pg_partition_tree('event') WHERE isleaf"):
                lab.query(f"DROP TABLE {name}")
            lab.query("UPDATE profile SET events = events - 1 WHERE space_id = %s", ingest.space.tenant.id)
            outcomes = await ingest.send({"type": "track", "userId": "u1", "messageId": "m2"})
            assert outcomes[0].status == "accepted"
            assert lab.query("SELECT sum(calls) FROM event") == [(1,)]

    run(main())


def test_rules_that_change_after_reading(lab: Lab) -> None:
    """A request read under old rules is read again, so that it is planned under those in force."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            waiting = request({"type": "track", "userId": "u1", "properties": {"email": "a@b.org"}})
            await waiting.read(ingest.space, await ingest.space.rules())
            version = await put_rules(ingest.space, {"promote_property_email": True}, "test")
            outcomes = await ingest.gatherer.submit(ingest.space, waiting)
            assert outcomes[0].status == "accepted"
            assert lab.query("SELECT rules_version, length(kept) FROM evidence") == [(version, 64)]
            ingest.check([(ingest.gate(), version)])

    run(main())


RACES = {
    "identifier": [{"type": "identify", "userId": f"u{n % 2}", "anonymousId": "a"} for n in range(8)],
    "message": [{"type": "track", "userId": f"u{n}", "messageId": "m1"} for n in range(8)],
    "group": [{"type": "group", "userId": f"u{n}", "groupId": "g", "traits": {"n": n}} for n in range(8)],
    "alias": [{"type": "alias", "userId": f"u{n % 3}", "previousId": f"u{(n + 1) % 3}"} for n in range(8)],
    "limit": [{"type": "track", "userId": f"u{n % 3}", "anonymousId": f"a{n % 2}"} for n in range(8)],
}


@pytest.mark.parametrize("name", RACES)
def test_writers_that_insert_the_same(lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever two writers insert at once, one of them plans again and both are right."""

    async def main() -> None:
        monkeypatch.setattr(committing, "KEY_SLOTS", 1)
        async with ingesting(lab) as ingest:
            writers = [Writer(ingest.spaces.database) for _ in RACES[name]]
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

    run(main())


def test_a_planner_that_fails_for_one_call(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error nobody thought of fails the request it is in, and none beside it."""
    take = _Planner.take

    def faulty(self: _Planner, call: Any) -> Any:
        if call.message_id == "bad":
            raise ZeroDivisionError
        return take(self, call)

    monkeypatch.setattr(_Planner, "take", faulty)

    async def main() -> None:
        async with ingesting(lab, writers=1) as ingest:
            sent = [ingest.send({**U1, "userId": f"u{n}", "messageId": "bad" if n == 2 else f"m{n}"}) for n in range(5)]
            answers = await asyncio.gather(*sent, return_exceptions=True)
            assert [isinstance(a, ZeroDivisionError) for a in answers] == [n == 2 for n in range(5)]
            assert sorted(ingest.log()) == ["m0", "m1", "m3", "m4"]
            ingest.check()

    run(main())


def test_a_profile_that_cannot_be_opened(lab: Lab) -> None:
    """Broken data of one profile fails the requests that touch it, and none beside them."""

    async def main() -> None:
        async with ingesting(lab, writers=1) as ingest:
            await ingest.send(U1)
            lab.query("UPDATE profile_document SET document = set_byte(document, 90, get_byte(document, 90) # 1)")
            sent = [ingest.send({**U1, "userId": f"u{n}"}) for n in range(4)]
            answers = await asyncio.gather(*sent, return_exceptions=True)
            assert [isinstance(a, Exception) for a in answers] == [n == 1 for n in range(4)]

    run(main())


def test_traits_for_a_profile_linked_in_the_same_batch(lab: Lab) -> None:
    """An identifier linked earlier in a batch leads later calls to a document that was there before."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            await ingest.send(U1)
            outcomes = await ingest.send(
                {"type": "track", "userId": "u1", "anonymousId": "a1"},
                {"type": "track", "anonymousId": "a1", "context": {"traits": {"email": "x@y.org"}}},
                {"type": "identify", "traits": {"email": "x@y.org", "plan": "free"}},
            )
            assert [o.status for o in outcomes] == ["accepted"] * 3
            ingest.check()

    run(main())


@pytest.mark.parametrize("mark", ["blocked_key", "suppression"])
def test_a_repeated_call_with_a_barred_identifier(lab: Lab, mark: str) -> None:
    """A call that names a barred identifier beside another one may come any number of times."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            space, tenant = ingest.space, ingest.space.tenant
            keys = {"blocked_key": space.keys.identifier, "suppression": space.keys.suppression}
            lab.query(
                f"INSERT INTO {mark} (key, space_id, bucket) VALUES (%s, %s, %s)",
                keys[mark]("anonymous_id", "a1"), tenant.id, tenant.base,
            )  # fmt: skip
            bit = {"blocked_key": load.BLOCKED, "suppression": load.SUPPRESSED}[mark]
            lab.query("UPDATE space_gate SET marks = %s WHERE space_id = %s", bit, tenant.id)
            item = {"type": "track", "userId": "u1", "anonymousId": "a1"}
            for _ in range(3):
                assert (await ingest.send(item))[0].status == "accepted"
            assert lab.query("SELECT count(*) FROM identifier") == [(1,)]
            assert lab.query("SELECT count FROM sighting") == [(3,)]

    run(main())


async def _ahead(ingest: Ingest, seconds: int) -> Writer:
    """A writer of a host whose clock is ahead."""
    writer = Writer(ingest.spaces.database)
    await writer.write(ingest.space, [])
    clock = Clock(writer.clock.slot, writer.clock.until, lambda: time_ns() + seconds * 10**9)
    writer.clock = clock
    return writer


def time_ns() -> int:
    """The wall clock."""
    import time

    return time.time_ns()


def test_a_group_told_of_by_clocks_that_differ(lab: Lab) -> None:
    """Stamps follow those of the group as well, so the order of its calls is the order of their stamps."""

    async def main() -> None:
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

    run(main())
