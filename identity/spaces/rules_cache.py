"""The versions of the rules of one space, compiled, as far as this process used them lately.

Invariant: a version never changes, so a cached one is never stale. Which version is the newest is asked of the
database. `recent` asks at most every two seconds: it is for a caller that compares the version with the one of the
space lock later, or whose answer no change of the rules can alter.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from identity.planning.resolution.resolution_rules import DEFAULT_RULES, GENERATIONS, Rules, compile_stored_rules
from identity.store.corrections import rules as stored_rules
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection, Database
from identity.values.ids import SpaceNumber
from identity.values.not_ready import RolledBack
from identity.vault.seal import RULES
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching.journal_heads import JournalHeads

_KEPT: Final = 4
_SECONDS: Final = 2.0


class RulesCache:
    """Reads and opens the rules of a space. `last_version` is the highest version that was seen."""

    def __init__(
        self,
        space_id: SpaceNumber,
        keys: SpaceKeys,
        database: Database,
        heads: JournalHeads,
        defaults: Rules = DEFAULT_RULES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`defaults` are the rules of the space before any change."""
        self.last_version: int | None = None
        self._space_id = space_id
        self._keys = keys
        self._database = database
        self._heads = heads
        self._defaults = defaults
        self._now = now
        self._asked = 0.0
        self._compiled: OrderedDict[int, Rules] = OrderedDict()

    async def recent(self) -> Rules:
        """The newest version as of at most two seconds ago. KeyUnavailable, RolledBack."""
        fresh = self.last_version is not None and self._now() <= self._asked + _SECONDS
        return await self.get(self.last_version if fresh else None)

    async def get(self, version: int | None = None, connection: Connection | None = None) -> Rules:
        """A version of the rules, the newest without a number. RolledBack for an older or a missing one.

        A caller that holds the space lock passes its connection.
        """
        if version is None:
            version = await self._newest()
        if version == 0:
            # A database writer can change the number in the row of the space, and not the one in the journal.
            recorded = self._heads.current.defaults
            return GENERATIONS[recorded] if recorded else self._defaults
        known = self._compiled.get(version)
        if known is None:
            if connection is None:
                async with self._database.reading() as own:
                    sealed = await stored_rules.read(own, self._space_id, version)
            else:
                sealed = await stored_rules.read(connection, self._space_id, version)
            if sealed is None:
                raise RolledBack
            document = self._keys.open(RULES, self._keys.id, version, sealed)
            known = self._compiled[version] = compile_stored_rules(msgspec.json.decode(document), version)
            while len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
        self.last_version = max(version, self.last_version or 0)
        return known

    def seal(self, rules: Rules) -> bytes:
        """A rules document as the database holds it."""
        return self._keys.seal(RULES, self._keys.id, rules.version, msgspec.json.encode(rules.document()))

    async def _newest(self) -> int:
        asked, heads = self._now(), self._heads.current
        async with self._database.reading() as connection:
            newest = (await space_lock.read(connection, self._space_id)).rules_version
        heads.require_rules(newest)
        self.last_version = max(newest, self.last_version or 0)
        self._asked = asked
        return self.last_version
