"""The two copies of a ledger: one in the database, one in the journal beside the epoch keys.

Invariant: while a space is served the journal follows the database. A journal that is ahead means that the database
was restored from a backup, and the erasures since have to be repeated first; two copies that differ mean that one
was tampered with. In both cases the space is not served.
"""

from hashlib import sha256

from identity.store.ledger import ledger
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.values.errors import LedgerBroken, Quarantined
from identity.vault.journal import Journal, JournalLine
from identity.vault.threads import in_key_store

PAGE = 1_000


async def require_published(database: Database, tenant: Tenant, journal: Journal) -> None:
    """Raises Quarantined, LedgerBroken or KeyUnavailable unless the space may be served."""
    last = await in_key_store(journal.last)
    async with database.reading() as connection:
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
        async with database.transaction() as connection:
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
            async with database.transaction() as connection:
                await ledger.mark_journal(connection, tenant)
        if len(entries) < PAGE:
            return entries[-1].seq if entries else seq


def chained_hash(before: bytes, entry: bytes) -> bytes:
    """The hash of an entry, chained to that of the entry before."""
    return sha256(b"\x01" + before + entry).digest()
