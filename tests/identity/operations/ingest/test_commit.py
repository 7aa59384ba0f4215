"""Writing calls: what is acknowledged is stored once, whatever breaks on the way."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.ingest import commit
from identity.store.ingest import load, write
from identity.values.errors import Conflict
from tests.support.processes.broken_commits import BREAKS, Broken, break_commits, lost_after
from tests.support.processes.writer_processes import Lab, ingesting, request

U1 = {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


@pytest.mark.parametrize("how", BREAKS, ids=lambda how: "-".join(each.__name__ for each in how))
@pytest.mark.parametrize("message_id", ["m1", None], ids=["with-id", "without-id"])
async def test_a_broken_commit_is_settled(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, how: list[Broken], message_id: str | None
) -> None:
    """A connection lost before, while or after COMMIT runs: each call is answered and stored once."""
    async with ingesting(lab) as ingest:
        await ingest.send({**U1, "userId": "u0"})
        break_commits(monkeypatch, lab, how)
        items: list[dict[str, Any]] = [
            {**U1, "messageId": message_id},
            {"type": "track", "event": "E", "userId": "u1"},
            {"type": "track", "event": "E"},
        ]
        outcomes = await ingest.send(*items)
        assert [o.status for o in outcomes] == ["accepted", "accepted", "unresolved"]
        assert [o.created for o in outcomes] == [True, False, False]
        assert len(ingest.log()) == 3
        ingest.check()


async def test_a_commit_lost_while_the_rules_change(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit whose answer is lost counts, although the rules are others when it is settled."""
    async with ingesting(lab) as ingest:
        await ingest.send({**U1, "userId": "u0"})
        changes = []

        async def change() -> None:
            changes.append((0, (await put_rules(ingest.space, {"max_merges": 3}, "test")).version))
            changes[-1] = (ingest.lock_stamp(), changes[-1][1])

        break_commits(monkeypatch, lab, [lost_after], change)
        outcomes = await ingest.send(U1, {"type": "track", "event": "E", "userId": "u1"})
        assert [o.status for o in outcomes] == ["accepted", "accepted"]
        assert len(ingest.log()) == 3
        ingest.check(changes)


async def test_a_repeat_after_a_lost_commit_is_a_duplicate(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A settled call that is sent again is answered as a duplicate, and nothing is stored."""
    async with ingesting(lab) as ingest:
        break_commits(monkeypatch, lab, [lost_after])
        first = await ingest.send({**U1, "messageId": "m1"})
        again = await ingest.send({**U1, "messageId": "m1"})
        assert [first[0].status, again[0].status] == ["accepted", "duplicate"]
        assert ingest.log() == ["m1"]


async def test_a_batch_that_meets_others_again_and_again_gets_the_space_lock_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a call among many writers is answered, and not refused as if the database were down."""
    begun: list[bool] = []
    begin = load.begin

    async def recorded(*args: Any, exclusive: bool) -> Any:
        begun.append(exclusive)
        return await begin(*args, exclusive=exclusive)

    async def meets_another(*args: Any) -> None:
        if not begun[-1]:
            raise Conflict
        await write.apply(*args)

    async with ingesting(lab) as ingest:
        monkeypatch.setattr(load, "begin", recorded)
        monkeypatch.setattr(commit, "apply", meets_another)
        (outcome,) = await ingest.send(U1)
    assert (outcome.status, begun[-1], begun.count(False)) == ("accepted", True, len(begun) - 1)


async def test_a_writer_whose_lease_was_taken_over_takes_another(lab: Lab) -> None:
    """A writer whose slot belongs to another writes nothing on it, takes a new one and goes on."""
    async with ingesting(lab, writers=1) as ingest:
        await ingest.send(U1)
        before = set(lab.query("SELECT slot, holder FROM writer_slot"))
        lab.query("UPDATE writer_slot SET holder = gen_random_uuid()")
        outcomes = await ingest.send({"type": "track", "event": "E", "userId": "u1"})
        assert outcomes[0].status == "accepted"
        slots = dict(lab.query("SELECT slot, holder FROM writer_slot"))
        assert len(slots) == 2
        assert before.isdisjoint(slots.items())
        stamps = [stamp for (stamp,) in lab.query("SELECT stamp FROM event")]
        assert [stamp & 255 for stamp in stamps] == [1]
        ingest.check()


async def test_a_missing_partition_is_made(lab: Lab) -> None:
    """Events that come on a day without a partition are stored, once one is made."""
    async with ingesting(lab) as ingest:
        await ingest.send(U1, {"type": "track", "event": "E", "userId": "u1"})
        for (name,) in lab.query("SELECT relid::regclass::text FROM pg_partition_tree('event') WHERE isleaf"):
            lab.query(f"DROP TABLE {name}")
        lab.query("UPDATE profile SET events = events - 1 WHERE space_id = %s", ingest.space.tenant.id)
        outcomes = await ingest.send({"type": "track", "event": "E", "userId": "u1", "messageId": "m2"})
        assert outcomes[0].status == "accepted"
        assert lab.query("SELECT sum(calls) FROM event") == [(1,)]


async def test_a_call_is_planned_under_rules_that_changed_after_its_reading(lab: Lab) -> None:
    """A request read under old rules is read again, so that it is planned under those in force."""
    async with ingesting(lab) as ingest:
        waiting = request({"type": "track", "event": "E", "userId": "u1", "properties": {"email": "a@b.org"}})
        await waiting.read(ingest.space, await ingest.space.rules())
        version = (await put_rules(ingest.space, {"promote_property_email": True}, "test")).version
        outcomes = await ingest.queue.submit(ingest.space, waiting)
        assert outcomes[0].status == "accepted"
        assert lab.query("SELECT rules_version, length(kept) FROM evidence") == [(version, 64)]
        ingest.check([(ingest.lock_stamp(), version)])
