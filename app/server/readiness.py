"""Decides whether this process can serve: database, keys, queue writers and their leases.

Any client may ask, so a good answer holds for a second and concurrent requests share one check: the check never takes
more than one connection. Every reason names what the operator has to do.
"""

import asyncio
import time
from collections import Counter

from identity.operations.ingest.queue import IngestQueue
from identity.operations.integrity.find_rolled_back import Found, find_rolled_back
from identity.operations.keys.find_unreadable_spaces import require_epoch_keys
from identity.spaces.key_store_comparison import LostKind, LostSpace
from identity.spaces.space import Spaces
from identity.store.keys import key_store
from identity.store.postgres import writer_slots
from identity.values.errors import KeyUnavailable
from identity.values.ids import SpaceNumber
from identity.values.not_ready import NotWriting, RolledBack
from identity.values.stamps import wall_time
from identity.vault.threads import in_key_store

GOOD_SECONDS = 1.0
KEYS_GOOD_SECONDS = 30.0


class Readiness:
    """The readiness of one process."""

    def __init__(self, spaces: Spaces, queue: IngestQueue) -> None:
        self._spaces = spaces
        self._queue = queue
        self._good_until = self._keys_good_until = 0.0
        self._checking: asyncio.Task[None] | None = None
        self.rolled_back: frozenset[Found] = frozenset()
        self.missing_suppressions: frozenset[Found] = frozenset()
        self.unvouched_deletions: frozenset[Found] = frozenset()
        self.lost_spaces: list[LostSpace] = []
        self._looked_at: frozenset[SpaceNumber] = frozenset()

    async def require(self) -> None:
        """Return if calls can be served. Unavailable where database, keys or queue writers are not there.

        RolledBack while a space that this process serves has settings or suppressions that are older than its journal
        records, or the database has a space as deleted whose journal records no deletion.
        """
        if self.rolled_back or self.missing_suppressions or self.unvouched_deletions:
            raise RolledBack
        if time.monotonic() < self._good_until:
            return
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        # A client that disconnects must not cancel the check for the others.
        await asyncio.shield(self._checking)

    def warnings(self) -> dict[LostKind, int]:
        """How many spaces only the key store has, by kind.

        No server serves such a space, so a server without it serves all others as well: a balancer that took every
        server out for it would make a fault of one space one of all.
        """
        return dict(Counter(each.kind for each in self.lost_spaces))

    async def _check(self) -> None:
        keyring = self._spaces.keyring
        leased = self._queue.lease_seconds > 0
        async with self._spaces.database.reading() as connection:
            named = await key_store.read(connection)
            if not leased:
                await writer_slots.require_free(connection, wall_time())
        if named != (keyring.store_id, keyring.root_id):
            raise KeyUnavailable
        await in_key_store(keyring.check)
        if time.monotonic() >= self._keys_good_until:
            await require_epoch_keys(self._spaces)
            self._keys_good_until = time.monotonic() + KEYS_GOOD_SECONDS
        if self._queue.running < self._queue.writers:
            raise NotWriting
        await self._look_at_opened()
        self._good_until = time.monotonic() + GOOD_SECONDS

    async def _look_at_opened(self) -> None:
        """Look at the spaces that were opened since the last time; the periodic search comes seconds later."""
        opened = frozenset(space.tenant.id for space in self._spaces.opened())
        if not opened <= self._looked_at:
            self.rolled_back = await find_rolled_back(self._spaces, self.rolled_back)
            self._looked_at = opened
            if self.rolled_back:
                raise RolledBack
