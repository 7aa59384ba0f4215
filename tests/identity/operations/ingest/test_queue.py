"""The queue before the writers: order, bounds, and an end in good order."""

import asyncio
from pathlib import Path

import pytest

from identity.values.errors import QueueFull, ShuttingDown
from tests.support.processes.writer_processes import Lab, ingesting


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
