"""The keys of identity tokens of one space, with what was found of recent tokens.

A change in this process is seen at once, and in another process within two seconds. Invariant: no key counts that the
journal records as ended, whatever the rows say.
"""

import time
from collections.abc import Callable
from typing import Final

from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import identity_keys
from identity.values.ids import SpaceId, public
from identity.vault.identity_tokens.keys import IdentityKey, unpack
from identity.vault.identity_tokens.verification import TokenChecker
from identity.vault.seal import IDENTITY_KEYS
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching.journal_heads import JournalHeads

_SECONDS: Final = 2.0


class IdentityKeysCache:
    """Reads and opens the keys of a space."""

    def __init__(
        self,
        tenant: Tenant,
        public_id: SpaceId,
        keys: SpaceKeys,
        database: Database,
        heads: JournalHeads,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tenant = tenant
        self._public_id = public_id
        self._keys = keys
        self._database = database
        self._heads = heads
        self._now = now
        self._read_at = 0.0
        self._version = -1
        self._checker = TokenChecker((), "")

    async def checker(self) -> TokenChecker:
        """What checks tokens, with the keys as of at most two seconds ago. RolledBack for keys that were put back."""
        if self._version < self._heads.current.identity_keys or self._now() > self._read_at + _SECONDS:
            read_at = self._now()
            version, keys = await self.read()
            if version != self._version:
                self._checker = TokenChecker(keys, public("spc", self._public_id))
            self._version, self._read_at = version, read_at
        return self._checker

    async def read(self) -> tuple[int, list[IdentityKey]]:
        """The version in force and its keys; none, at version 0, before the first. RolledBack."""
        heads = self._heads.current
        async with self._database.reading() as connection:
            version, sealed = await identity_keys.in_force(connection, self._tenant)
        heads.require_identity_keys(version)
        if sealed is None:
            return version, []
        return version, unpack(self._keys.open(IDENTITY_KEYS, self._public_id, version, sealed))

    def forget(self) -> None:
        """Read the keys again at the next use."""
        self._version = -1
        self._read_at = 0.0
