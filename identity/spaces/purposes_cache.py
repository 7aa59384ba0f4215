"""The names of the purposes of one space, for the check of the categories that calls state.

What a destination may see never depends on this: every read of a destination reads the purposes anew. The names are
at most two seconds old in another process, and a change in this process is seen at once.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from identity.planning.consent.purposes import compile_purposes
from identity.store.destinations import destinations
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.values.ids import SpaceId
from identity.vault.seal import PURPOSES
from identity.vault.space_keys import SpaceKeys

_SECONDS: Final = 2.0


class PurposesCache:
    """Reads and opens the names of the purposes of a space."""

    def __init__(
        self,
        tenant: Tenant,
        public_id: SpaceId,
        keys: SpaceKeys,
        database: Database,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tenant = tenant
        self._public_id = public_id
        self._keys = keys
        self._database = database
        self._now = now
        self._read_at = 0.0
        self._version: int | None = None
        self._names: frozenset[str] = frozenset()

    async def names(self) -> frozenset[str]:
        """The names as of at most two seconds ago; none before the first document."""
        if self._version is None or self._now() > self._read_at + _SECONDS:
            async with self._database.reading() as connection:
                version, sealed = await destinations.purposes(connection, self._tenant)
            if version != self._version:
                self._names = self._open(version, sealed)
            self._version, self._read_at = version, self._now()
        return self._names

    def forget(self) -> None:
        """Read the document again at the next use."""
        self._version = None

    def _open(self, version: int, sealed: bytes | None) -> frozenset[str]:
        if sealed is None:
            return frozenset()
        document = msgspec.json.decode(self._keys.open(PURPOSES, self._public_id, version, sealed))
        return frozenset(compile_purposes(document, version).purposes)
