"""One look at the feeds serves all readers of a process: each is woken by an entry, at its time or at its end."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from identity.operations.destinations.feed_waker import FeedWaker, WaitingReader
from identity.planning.destinations.feed_pages import Position
from identity.spaces.space import Space
from identity.store.destinations import feed
from identity.store.postgres.tenant import Tenant
from identity.values.errors import Unavailable
from identity.values.stamps import Micros
from tests.support.processes.writer_processes import Lab, ingesting

LATE = 600.0
READERS = 300


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def position(space: Space) -> Position:
    """The end of the feed of a space."""
    async with space.database.reading() as connection:
        lanes = {each.lane: each.seq for each in await feed.lanes(connection, space.tenant)}
    return Position(entitlement_version=1, purposes_version=1, began=Micros(0), after_profile=None, lanes=lanes)


class Waits:
    """Readers that wait, and whether each is awake."""

    def __init__(self, waker: FeedWaker) -> None:
        self.waker = waker

    async def begin(
        self, space: Space, at: Position, seconds: float = LATE
    ) -> tuple[WaitingReader, asyncio.Task[None]]:
        """One more reader at a position."""
        reader, until = WaitingReader(), time.monotonic() + seconds
        task = asyncio.create_task(self.waker.wait(reader, space.tenant, at, until))
        await asyncio.sleep(0)
        return reader, task


async def test_an_entry_wakes_the_readers_of_its_space(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of another space wait on; each look asks for each space once, however many readers there are."""
    asked: list[list[int]] = []
    lanes_of = feed.lanes_of

    async def recorded(connection: Any, tenants: Sequence[Tenant]) -> Any:
        asked.append(sorted(each.id for each in tenants))
        return await lanes_of(connection, tenants)

    async with ingesting(lab) as ingest:
        other = await lab.space(ingest.spaces)
        waker = FeedWaker(ingest.spaces.database)
        waits, at = Waits(waker), await position(ingest.space)
        monkeypatch.setattr(feed, "lanes_of", recorded)
        woken = [await waits.begin(ingest.space, at) for _ in range(READERS)]
        _, waiting = await waits.begin(other, await position(other))
        await ingest.send({"type": "identify", "userId": "ann"})
        await asyncio.gather(*(task for _, task in woken))

        assert not waiting.done()
        assert asked[0] == sorted((ingest.space.tenant.id, other.tenant.id))
        assert len({tuple(each) for each in asked}) <= 2
        await waker.close()
        await waiting


async def test_a_reader_wakes_at_its_time_and_at_its_end(lab: Lab) -> None:
    """The end wakes at once, and a reader that ended before does not wait."""
    async with ingesting(lab) as ingest:
        waker = FeedWaker(ingest.spaces.database)
        waits, at = Waits(waker), await position(ingest.space)
        _, timed = await waits.begin(ingest.space, at, 0.0)
        ended, task = await waits.begin(ingest.space, at)
        ended.end()
        await task
        await timed
        await waker.wait(ended, ingest.space.tenant, at, time.monotonic() + LATE)
        await waker.close()


async def test_a_look_that_fails_leaves_nobody_waiting(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers meet the error of the database themselves."""

    async def away(_connection: Any, _tenants: Sequence[Tenant]) -> Any:
        raise Unavailable

    async with ingesting(lab) as ingest:
        waker = FeedWaker(ingest.spaces.database)
        waits, at = Waits(waker), await position(ingest.space)
        monkeypatch.setattr(feed, "lanes_of", away)
        woken = [(await waits.begin(ingest.space, at))[1] for _ in range(3)]
        await asyncio.gather(*woken)
        await waker.close()
