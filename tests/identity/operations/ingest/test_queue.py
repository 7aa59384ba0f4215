"""The queue before the writers: order, bounds, and an end in good order."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from identity.operations.ingest import queue
from identity.operations.ingest.commit import BatchWriter
from identity.operations.ingest.request import IngestRequest
from identity.spaces.space import Space
from identity.values.errors import DatabaseUnavailable, QueueFull, ShuttingDown
from tests.support.processes.writer_processes import Ingest, Lab, ingesting


class Died(BaseException):
    """What no writer expects."""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_requests_of_one_person_keep_their_order(lab: Lab) -> None:
    """Requests sent one after the other without waiting are stored in that order."""
    async with ingesting(lab, writers=4) as ingest:
        await ingest.send(
            {"type": "track", "event": "E", "userId": "u0"}
        )  # reads the rules, for which those after need not wait
        sent = [
            ingest.send(
                {"type": "track", "event": "E", "userId": "u1", "messageId": f"m{n:03}"},
                {"type": "track", "event": "E", "userId": f"x{n}"},
            )
            for n in range(60)
        ]
        await asyncio.gather(*sent)
        mine = [message for message in ingest.log() if message.startswith("m")]
        assert mine == sorted(mine)
        ingest.check()


async def test_a_full_queue_refuses_at_once(lab: Lab) -> None:
    """Nothing of a request that finds no room is stored; those before it are."""
    async with ingesting(lab, writers=1, bound=3) as ingest:
        sent = [ingest.send({"type": "track", "event": "E", "userId": "u1", "messageId": f"m{n}"}) for n in range(9)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        full = [isinstance(answer, QueueFull) for answer in answers]
        assert any(full)
        assert sorted(ingest.log()) == [f"m{n}" for n in range(9) if not full[n]]


async def test_closing_commits_every_waiting_request(lab: Lab) -> None:
    """What was taken in is committed before the end; what comes later is refused."""
    async with ingesting(lab, writers=1) as ingest:
        sent = [asyncio.create_task(ingest.send({"type": "track", "event": "E", "userId": f"u{n}"})) for n in range(20)]
        while not ingest.queue.waiting:  # noqa: ASYNC110 (it has no event to wait for)
            await asyncio.sleep(0)
        await ingest.queue.close()
        with pytest.raises(ShuttingDown):
            await ingest.send({"type": "track", "event": "E", "userId": "late"})
        done = await asyncio.gather(*sent, return_exceptions=True)
        stored = sum(isinstance(answer, list) for answer in done)
        assert stored
        assert stored == len(ingest.log())


async def test_a_request_whose_sender_went_away_is_dropped(lab: Lab) -> None:
    """A request given up while it waited is not stored, and does not hold up the others."""
    async with ingesting(lab, writers=1) as ingest:
        sent = [
            asyncio.create_task(ingest.send({"type": "track", "event": "E", "userId": "u1", "messageId": f"m{n}"}))
            for n in range(10)
        ]
        while not ingest.queue.waiting:  # noqa: ASYNC110 (it has no event to wait for)
            await asyncio.sleep(0)
        sent[-1].cancel()
        await asyncio.gather(*sent, return_exceptions=True)
        assert sorted(ingest.log()) == [f"m{n}" for n in range(9)]


async def test_a_space_whose_commits_hang_delays_no_other(lab: Lab) -> None:
    """Both writers wait for a row that another session holds; the call of another space is stored meanwhile."""
    async with ingesting(lab) as ingest:
        other = Ingest(lab, ingest.spaces, await lab.space(ingest.spaces), ingest.queue)
        await ingest.send({"type": "track", "userId": "u0"})
        with psycopg.connect(lab.url) as session:
            session.execute("SELECT 1 FROM space_gate WHERE space_id = %s FOR UPDATE", [ingest.space.tenant.id])
            stuck = [
                asyncio.create_task(ingest.send(*({"type": "track", "userId": f"u{n}.{m}"} for m in range(200))))
                for n in range(4)
            ]
            done, _ = await asyncio.wait([asyncio.create_task(other.send({"type": "track", "userId": "u1"}))])
            assert [len(each.result()) for each in done] == [1]
            assert not any(each.done() for each in stuck)
            session.rollback()
        assert [len(each) for each in await asyncio.gather(*stuck)] == [200] * 4
        assert ingest.queue.running >= ingest.queue.writers


async def test_a_writer_that_dies_is_replaced(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its batch fails with an answer that says to try again; those after it are stored."""
    write = BatchWriter.write
    dying = [True, True]

    async def dies(self: BatchWriter, space: Space, requests: Sequence[IngestRequest]) -> None:
        if dying and dying.pop():
            raise Died
        await write(self, space, requests)

    monkeypatch.setattr(BatchWriter, "write", dies)
    monkeypatch.setattr(queue, "RESTART", 0.01)

    async with ingesting(lab) as ingest:
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await ingest.send({"type": "track", "userId": "u1"})
        while ingest.queue.running < ingest.queue.writers:  # noqa: ASYNC110 (it has no event to wait for)
            await asyncio.sleep(0)
        assert len(await ingest.send({"type": "track", "userId": "u1"})) == 1
