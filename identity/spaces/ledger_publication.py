"""The two copies of a ledger: one in the database, one in the journal beside the epoch keys.

Invariant: while a space is served the journal follows the database. A journal that is ahead means that the database
was restored from a backup, and the erasures since have to be repeated first; two copies that differ mean that one
was tampered with. In both cases the space is not served.

Invariant: keys and journal of a space are destroyed only where the journal has the entry of `DELETE /v1/spaces`, with
its MAC, and no hold in force. So a database writer who marks a space as deleted reaches nothing in the key store. A
space without keys in the key store has nothing left to destroy, so deletions of earlier releases are finished.
"""

from hashlib import sha256

from identity.store.ledger import ledger
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.errors import KeyUnavailable, LedgerBroken, Quarantined
from identity.values.ids import SpaceId
from identity.values.ledger_actions import LedgerAction, starts
from identity.vault.journal import Journal, JournalLine
from identity.vault.keyring import Keyring
from identity.vault.threads import in_key_store
from identity.vault.vouching.journal_heads import Heads, JournalHeads
from identity.vault.vouching.ledger_entries import is_vouched_entry

PAGE = 1_000
_DELETED = starts([LedgerAction.SPACE_DELETED])


async def require_published(database: Database, tenant: Tenant, journal: Journal) -> None:
    """Raises Quarantined, LedgerBroken or KeyUnavailable unless the space may be served."""
    last = await in_key_store(journal.last)
    async with database.of_space(tenant.id).reading() as connection:
        head = await ledger.read_head(connection, tenant)
        if last is None:
            if not head.begun:
                return
            # Another process may have begun the journal after it was read here: the flag follows the first line.
            last = await in_key_store(journal.last)
            if last is None:
                raise LedgerBroken
            head = await ledger.read_head(connection, tenant)
        seq, hash_ = last
        if head.seq < seq:
            raise Quarantined
        if await ledger.hash_at(connection, tenant, seq) != hash_:
            raise LedgerBroken


async def publish(database: Database, tenant: Tenant, journal: Journal) -> int:
    """Copies new entries of the ledger into the journal, on disk on return; the number of the last entry."""
    while True:
        last = await in_key_store(journal.last)
        seq, hash_ = last or (0, b"")
        async with database.of_space(tenant.id).transaction() as connection:
            begun = (await ledger.read_head(connection, tenant)).begun
            if last is not None and await ledger.hash_at(connection, tenant, seq) != hash_:
                raise LedgerBroken
            entries = await ledger.after(connection, tenant, seq, PAGE)
        for entry in entries:
            hash_ = chained_hash(hash_, entry.entry)
            if hash_ != entry.hash:
                raise LedgerBroken
        await in_key_store(journal.append, seq, [JournalLine(*entry) for entry in entries])
        if not begun and (last is not None or entries):
            # After the first line is on disk: a crash in between leaves a journal, and no flag without one.
            async with database.of_space(tenant.id).transaction() as connection:
                await ledger.mark_journal(connection, tenant)
        if len(entries) < PAGE:
            return entries[-1].seq if entries else seq


async def unvouched_deletions(database: Database, keyring: Keyring, *, publishing: bool = True) -> list[SpaceRow]:
    """The deleted spaces whose keys nobody may destroy. KeyUnavailable where the key store is not there.

    An entry that only the ledger has yet, since a server was killed, is copied into the journal if `publishing`.
    """
    async with database.of_all_spaces.reading() as connection:
        deleted = await spaces_and_keys.list_deleted(connection)
    if deleted:
        await in_key_store(keyring.check)
    return [row for row in deleted if not await _may_be_destroyed(database, keyring, row, publishing=publishing)]


async def heads_of_files(keyring: Keyring, row: SpaceRow) -> Heads | None:
    """What the journal of a space records; None where the key store has nothing of it. KeyUnavailable, LedgerBroken."""
    await in_key_store(keyring.check)
    if not await in_key_store(keyring.has_space, row.public_id):
        return None
    return await in_key_store(heads_of, keyring, row.public_id)


def heads_of(keyring: Keyring, space_id: SpaceId) -> Heads:
    """As `heads_of_files` for a space that has keys, in a thread of the key store. KeyUnavailable, LedgerBroken."""
    reader = JournalHeads(keyring.space(space_id), keyring.journal(space_id))
    reader.read()
    return reader.current


async def _may_be_destroyed(database: Database, keyring: Keyring, row: SpaceRow, *, publishing: bool) -> bool:
    try:
        heads = await heads_of_files(keyring, row)
        if heads is None or heads.deleted:
            return heads is None or heads.may_be_destroyed
        journal = await in_key_store(keyring.journal, row.public_id)
        if not await _is_deletion_in_ledger(database, keyring, row, journal):
            return False
        if publishing:
            await publish(database, Tenant(row.id, row.bucket_base, row.spread), journal)
            heads = await heads_of_files(keyring, row)
    except (KeyUnavailable, LedgerBroken):
        return False
    return not publishing or heads is None or heads.may_be_destroyed


async def _is_deletion_in_ledger(database: Database, keyring: Keyring, row: SpaceRow, journal: Journal) -> bool:
    """Whether the end of the ledger, which the journal lacks, has the genuine entry of a deletion."""
    keys = await in_key_store(keyring.space, row.public_id)
    last = await in_key_store(journal.last)
    seq = 0 if last is None else last[0]
    tenant = Tenant(row.id, row.bucket_base, row.spread)
    while True:
        async with database.of_space(row.id).reading() as connection:
            entries = await ledger.after(connection, tenant, seq, PAGE)
        if any(each.entry.startswith(_DELETED) and is_vouched_entry(keys, each.entry) for each in entries):
            return True
        if len(entries) < PAGE:
            return False
        seq = entries[-1].seq


def chained_hash(before: bytes, entry: bytes) -> bytes:
    """The hash of an entry, chained to that of the entry before."""
    return sha256(b"\x01" + before + entry).digest()
