"""Wakes the requests of a process that wait for changes: one look at the feeds of all their spaces serves all of them.

Invariant: nobody waits on a look that failed or ended. Every waiting reader is woken then, reads the feed itself, and
meets the same error. Without a waiting reader nothing looks.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from identity.planning.destinations.feed_pages import Position
from identity.store.destinations import feed
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.values.errors import OnefoldError
from identity.values.ids import SpaceNumber

_LOOK: Final = 0.2


class WaitingReader:
    """A request that waits for changes; `ended` once a later request takes its place."""

    def __init__(self) -> None:
        self.ended = False
        self._woken = asyncio.Event()

    def end(self) -> None:
        """End its wait for good."""
        self.ended = True
        self._woken.set()

    def wake(self) -> None:
        """Let it look at the feed."""
        self._woken.set()

    async def woken(self) -> None:
        """Wait until it is woken; a reader that ended is awake."""
        if not self.ended:
            self._woken.clear()
            await self._woken.wait()


class _Wait:
    """What a reader waits for: an entry of a space after a position, until a time."""

    def __init__(self, tenant: Tenant, position: Position, until: float) -> None:
        self.tenant = tenant
        self.lanes = position.lanes
        self.until = until

    def is_over(self, heads: Mapping[SpaceNumber, list[feed.LaneHeadRow]], now: float) -> bool:
        found = heads.get(self.tenant.id, ())
        return now >= self.until or any(lane.seq > self.lanes.get(lane.lane, 0) for lane in found)


class FeedWaker:
    """The waiting readers of a process, and the task that looks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waits: dict[WaitingReader, _Wait] = {}
        self._task: asyncio.Task[None] | None = None

    async def wait(self, reader: WaitingReader, tenant: Tenant, position: Position, until: float) -> None:
        """Return when the feed of a space has an entry after a position, at a time, or where the reader is ended."""
        self._waits[reader] = _Wait(tenant, position, until)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_for_all())
        try:
            await reader.woken()
        finally:
            self._waits.pop(reader, None)

    async def close(self) -> None:
        """Stop looking, and wake all readers."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_for_all(self) -> None:
        try:
            while self._waits:
                await asyncio.sleep(_LOOK)
                await self._look()
        finally:
            for reader in self._waits:
                reader.wake()

    async def _look(self) -> None:
        tenants = {each.tenant.id: each.tenant for each in self._waits.values()}
        try:
            async with self._database.of_all_spaces.reading() as connection:
                heads = await feed.lanes_of(connection, list(tenants.values()))
        except OnefoldError:
            for reader in self._waits:
                reader.wake()
            return
        now = time.monotonic()
        for reader, each in self._waits.items():
            if each.is_over(heads, now):
                reader.wake()
