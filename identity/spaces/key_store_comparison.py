"""Compares database and key store: whether the database is older, and which spaces only the key store has.

Of a lost space, keys and journal are in the key store, and the database has no row under its id. Either somebody
deleted the rows, or the row of the space has another id now, or the database is older than the space. The second case
shows by the ledger: its entries are chained by hashes from the creation of the space on, so no other space has them.
A folder without a journal is of a creation that a crash interrupted, and one whose journal has the genuine entry of a
deletion is on its way out: neither is lost.
"""

from typing import Final, Literal

from msgspec import Struct

from identity.spaces.ledger_publication import heads_of
from identity.store.keys import key_tables
from identity.store.ledger import ledger
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.errors import KeyUnavailable, LedgerBroken
from identity.values.ids import SpaceId, public
from identity.vault.journal import Journal
from identity.vault.keyring import Keyring
from identity.vault.threads import in_key_store

LostKind = Literal["space_missing", "space_renamed"]
_NOT_LOST: Final = -1


class LostSpace(Struct, frozen=True):
    """A space that no row names. `named_as` is the id that its row has now, None where there is no such row.

    `holds` counts the litigation holds in force in its journal; None where the journal cannot be read.
    """

    public_id: SpaceId
    holds: int | None
    named_as: SpaceId | None = None

    @property
    def kind(self) -> LostKind:
        """The kind of the discrepancy, which the log and `/readyz` name too."""
        return "space_missing" if self.named_as is None else "space_renamed"

    @property
    def label(self) -> str:
        """The id of the space, that of its row, and the holds that its journal has."""
        row = "" if self.named_as is None else f", whose row has the id {public('spc', self.named_as)}"
        holds = (
            "a journal that cannot be read"
            if self.holds is None
            else f"{self.holds} hold{'' if self.holds == 1 else 's'} in its journal"
        )
        return f"{public('spc', self.public_id)}{row}, with {holds}"


async def lost_spaces(database: Database, keyring: Keyring) -> list[LostSpace]:
    """The lost spaces, by id. KeyUnavailable where the key store is not there.

    A space may be created or deleted meanwhile: rows and folders are read again behind the journals.
    """
    await in_key_store(keyring.check)
    folders = await in_key_store(keyring.spaces)
    rows = await _rows(database)
    holds = {}
    for id_ in sorted(folders - rows.keys()):
        space_id = SpaceId(id_)
        if (found := await in_key_store(_holds, keyring, space_id)) != _NOT_LOST:
            holds[space_id] = found
    if not holds:
        return []
    rows, folders = await _rows(database), await in_key_store(keyring.spaces)
    nameless = [row for id_, row in rows.items() if id_ not in folders]
    return [
        LostSpace(id_, found, await _named_as(database, keyring, id_, nameless))
        for id_, found in holds.items()
        if id_ in folders and id_ not in rows
    ]


async def true_id(database: Database, keyring: Keyring, row: SpaceRow) -> SpaceId | None:
    """The id of the lost space that a row without keys belongs to; None where there is none."""
    for each in await lost_spaces(database, keyring):
        if each.named_as == row.public_id:
            return each.public_id
    return None


def _holds(keyring: Keyring, space_id: SpaceId) -> int | None:
    try:
        journal = keyring.journal(space_id)
        if journal.last() is None:
            return _NOT_LOST
        heads = heads_of(keyring, space_id)
    except (KeyUnavailable, LedgerBroken):
        return None
    return _NOT_LOST if heads.may_be_destroyed else sum(map(bool, heads.holds.values()))


async def _rows(database: Database) -> dict[bytes, SpaceRow]:
    """All rows of spaces by id, those of deleted spaces too."""
    async with database.of_all_spaces.reading() as connection:
        found = await spaces_and_keys.list_spaces(connection) + await spaces_and_keys.list_deleted(connection)
    return {bytes(row.public_id): row for row in found}


async def _named_as(
    database: Database, keyring: Keyring, space_id: SpaceId, nameless: list[SpaceRow]
) -> SpaceId | None:
    try:
        journal = await in_key_store(keyring.journal, space_id)
        async with database.of_all_spaces.reading() as connection:
            for row in nameless:
                if await _has_ledger_of(connection, row, space_id, journal):
                    return row.public_id
    except (KeyUnavailable, LedgerBroken):
        pass
    return None


async def _has_ledger_of(connection: Connection, row: SpaceRow, space_id: SpaceId, journal: Journal) -> bool:
    """Whether the ledger of a row and a journal agree at the end of the shorter one."""
    tenant = Tenant(row.id, spaces_and_keys.bucket_of(space_id), row.spread)
    head = await ledger.read_head(connection, tenant)
    last = await in_key_store(journal.last)
    if not head.seq or last is None:
        return False
    if head.seq >= last[0]:
        return await ledger.hash_at(connection, tenant, last[0]) == last[1]
    return await in_key_store(_hash_in, journal, head.seq) == head.hash


def _hash_in(journal: Journal, seq: int) -> bytes:
    return next((line.hash for line in journal.after(seq - 1)), b"")


async def is_older(database: Database, keyring: Keyring, tenant: Tenant, public_id: SpaceId) -> bool:
    """Whether the key store has newer key tables of a space than the database.

    A roll may change both between the two reads, so only a second look that finds the same counts.
    """
    for _ in range(2):
        if not await _looks_older(database, keyring, tenant, public_id):
            return False
    return True


async def _looks_older(database: Database, keyring: Keyring, tenant: Tenant, public_id: SpaceId) -> bool:
    async with database.of_space(tenant.id).reading() as connection:
        lock_row = await space_lock.read(connection, tenant.id)
        used = await key_tables.slot_epochs(connection, tenant)
    held = await in_key_store(keyring.epochs, public_id)
    return not used <= set(held) or keyring.newest_dump_epoch(public_id) > lock_row.epoch
