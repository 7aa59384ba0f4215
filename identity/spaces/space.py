"""An open space: its keys and place, its rules and identifier types, kept for this process.

Invariant: what is kept either never changes (place, long-lived keys, numbers of types) or is named by its
version (rules, index key), so nothing kept is stale. A writer that finds another version in the space lock takes
that version up and begins again. Whether a space still exists is not kept: writers learn it from the space lock,
readers from the key of the caller.
"""

import asyncio
from contextlib import suppress
from typing import Final

from identity.planning.resolution.resolution_rules import DEFAULT_RULES, GENERATIONS, Rules
from identity.spaces.cursors import read_cursor, write_cursor
from identity.spaces.identifier_types import IdentifierTypes
from identity.spaces.key_store_comparison import is_older
from identity.spaces.ledger_publication import publish, require_published
from identity.spaces.rules_cache import RulesCache
from identity.spaces.sealed_document_cache import PURPOSE_NAMES, TOKEN_CHECKER, SealedDocumentCache
from identity.store.keys import index_key_rotation
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.values.calls import IndexVersions
from identity.values.errors import KeyUnavailable
from identity.values.ids import SpaceId, SpaceNumber, public
from identity.values.not_ready import KeysOutdated, SpaceLockDiffers
from identity.vault.journal import Journal
from identity.vault.keyring import Keyring
from identity.vault.space_keys import SpaceKeys
from identity.vault.threads import in_key_store
from identity.vault.vouching.journal_constraints import JournalConstraints
from identity.vault.vouching.journal_erasures import JournalErasures
from identity.vault.vouching.journal_heads import Heads, JournalHeads

CHANGES_AT_ONCE: Final = 2
"""Changes of one space that wait for its lock at once in this process: the others wait without a connection."""


class Space:
    """One open space. `public_id` is 16 bytes; `codes` and `names` are those of its identifier types.

    `changes` gives turns to what waits for the space lock and holds a connection: a burst of erasures in one space
    leaves the connections of the process to the other spaces.
    """

    def __init__(
        self,
        tenant: Tenant,
        public_id: SpaceId,
        name: str,
        keys: SpaceKeys,
        database: Database,
        journal: Journal,
        defaults: Rules = DEFAULT_RULES,
    ) -> None:
        self.tenant = tenant
        self.public_id = public_id
        self.name = name
        self.keys = keys
        self.journal = journal
        self.database = database = database.of_space(tenant.id)
        self._heads = JournalHeads(keys, journal)
        self._rules = RulesCache(tenant.id, keys, database, self._heads, defaults)
        self._purposes = SealedDocumentCache(PURPOSE_NAMES, tenant, public_id, keys, database, self._heads)
        self.identity_keys = SealedDocumentCache(TOKEN_CHECKER, tenant, public_id, keys, database, self._heads)
        self.changes = asyncio.Semaphore(CHANGES_AT_ONCE)
        self._types = IdentifierTypes(tenant.id, keys, database)
        self.codes = self._types.codes
        self.names = self._types.names

    @property
    def name_in_logs(self) -> str:
        """The public id, by which log lines name the space."""
        return public("spc", self.public_id)

    @property
    def heads(self) -> Heads:
        """What the journal says is in force; a row that is read afterwards must not be older."""
        return self._heads.current

    @property
    def recorded(self) -> JournalConstraints:
        """The suppressions, erasures and blocks that the journal records, whatever the rows say."""
        return self._heads.constraints

    @property
    def recorded_erasures(self) -> JournalErasures:
        """The outcomes of erasures that the journal records, whatever the rows say."""
        return self._heads.erasures

    async def read_heads(self) -> None:
        """Takes up what the journal records since the last time. LedgerBroken, KeyUnavailable."""
        await in_key_store(self.read_heads_of_files)

    def read_heads_of_files(self) -> None:
        """Like `read_heads`, for a caller in a thread of the key store that reads those of many spaces."""
        self._heads.read()

    async def rules(self, version: int | None = None, connection: Connection | None = None) -> Rules:
        """A version of the rules, the newest without a number; `connection` as in `read_types`."""
        return await self._rules.get(version, connection)

    async def recent_rules(self) -> Rules:
        """The newest rules as of at most two seconds ago, for a caller that compares the version under the lock."""
        return await self._rules.recent()

    def seal_rules(self, rules: Rules) -> bytes:
        """A rules document as the database holds it."""
        return self._rules.seal(rules)

    async def purpose_names(self) -> frozenset[str]:
        """The names of the purposes, as of at most two seconds ago."""
        return await self._purposes.current()

    def forget_purposes(self) -> None:
        """Reads the purposes again at the next use, since they changed."""
        self._purposes.forget()

    async def read_types(self, connection: Connection | None = None) -> dict[int, str]:
        """The names of all identifier types by number, those that other processes added included.

        A caller that holds the space lock passes its connection: all those of the pool may wait for the lock.
        """
        return await self._types.read(connection)

    async def ensure_types(self, names: set[str]) -> None:
        """Gives numbers to new identifier types, as long as the space may have more."""
        await self._types.ensure(names)

    async def possible_types(self, names: set[str]) -> set[str]:
        """The types among these that the space has or could have."""
        return await self._types.possible(names)

    async def publish(self) -> None:
        """Copies the ledger into the journal; what is acknowledged rests on that. KeyUnavailable."""
        await publish(self.database, self.tenant, self.journal)
        await self.read_heads()

    async def refresh_versions(self) -> None:
        """Takes up the versions of the index key that the space lock names. SpaceNotFound, SpaceLockDiffers."""
        known = self.keys.versions
        async with self.database.reading() as connection:
            lock_row = await space_lock.read(connection, self.tenant.id)
        self.set_versions(lock_row.versions, known)

    def set_versions(self, found: IndexVersions, known: IndexVersions | None = None) -> None:
        """Takes up the versions of a row that was read under the space lock. SpaceLockDiffers where it is older.

        No version ever decreases, and none is newer than the newest. A row that was read without the lock may be older
        than what another task took up meanwhile, so its reader passes the versions that were `known` before.
        """
        known = known or self.keys.versions
        if not found.in_order or any(now < before for now, before in zip(found, known, strict=True)):
            raise SpaceLockDiffers
        self.keys.set_versions(found)

    def write_cursor(self, domain: bytes, packed_position: bytes) -> str:
        """A packed position in a list of this space, opaque to the client."""
        return write_cursor(self.keys, domain, packed_position)

    def read_cursor(self, domain: bytes, cursor: str) -> bytes:
        """The inverse of `write_cursor`. BadCursor for anything else."""
        return read_cursor(self.keys, domain, cursor)


class Spaces:
    """The spaces that this process has opened."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.keyring = keyring
        self._open: dict[SpaceNumber, Space] = {}

    async def get(self, space_id: SpaceNumber) -> Space:
        """A space by its number. SpaceNotFound; KeyUnavailable if its keys cannot be read.

        Quarantined or LedgerBroken if its ledger and its journal differ; KeysOutdated if its keys are newer;
        SpaceLockDiffers if the space lock names a key that is not there.
        """
        space = self._open.get(space_id)
        if space is None:
            opened = await self.restored(space_id)
            if await is_older(self.database, self.keyring, opened.tenant, opened.public_id):
                raise KeysOutdated
            await require_published(self.database, opened.tenant, opened.journal)
            try:
                await in_key_store(opened.keys.index, opened.keys.versions.newest)
                opened.set_versions(opened.keys.versions)
            except KeyUnavailable:
                # Keys take up no older version; once the row is right again, others are made.
                self.keyring.forget(opened.public_id)
                raise
            await opened.read_heads()
            await in_key_store(opened.journal.vouched_after)
            # Another task may have opened it meanwhile; all tasks share one cache of types.
            space = self._open.setdefault(space_id, opened)
        return space

    async def restored(self, space_id: SpaceNumber) -> Space:
        """A space whose ledger and journal may differ: only for the commands that make them agree."""
        async with self.database.of_space(space_id).reading() as connection:
            row = await spaces_and_keys.find_space(connection, space_id)
            lock_row = await space_lock.read(connection, space_id)
        keys = self.keyring.space(row.public_id)
        keys.set_versions(lock_row.versions, restored=True)
        journal = await in_key_store(self.keyring.journal, row.public_id)
        tenant = Tenant(row.id, row.bucket_base, row.spread)
        defaults = GENERATIONS[row.rules_defaults]
        return Space(tenant, row.public_id, row.name, keys, self.database, journal, defaults)

    async def refresh_versions(self) -> None:
        """Takes up the index keys that other processes put in force, and forgets those that they destroyed."""
        async with self.database.of_all_spaces.reading() as connection:
            found = await index_key_rotation.versions(connection)
        for space_id, versions in found:
            space = self._open.get(space_id)
            if space is not None:
                # A space whose row names a missing key is refused by itself, and does not concern the others.
                with suppress(KeyUnavailable):
                    space.set_versions(versions, known=versions)

    def opened(self) -> list[Space]:
        """The spaces that are open in this process."""
        return list(self._open.values())

    def name_in_logs(self, space_id: SpaceNumber) -> str | None:
        """The public id of a space by its number, as log lines name it; None unless the space is open here."""
        space = self._open.get(space_id)
        return None if space is None else space.name_in_logs

    async def forget_deleted(self) -> None:
        """Closes the spaces that another process deleted."""
        async with self.database.of_all_spaces.reading() as connection:
            live = {row.id for row in await spaces_and_keys.list_spaces(connection)}
        for space_id in [id_ for id_ in self._open if id_ not in live]:
            self.forget(space_id)

    def forget(self, space_id: SpaceNumber) -> None:
        """Closes a space that was deleted and drops its keys."""
        space = self._open.pop(space_id, None)
        if space is not None:
            self.keyring.forget(space.public_id)
