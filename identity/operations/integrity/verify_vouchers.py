"""Finds the rows of a space that Onefold did not store as they are, and rows that are older than the journal records.

Suppressions, holds, blocks and erasures are compared with the journal too. Only this part of an audit needs the root
key, and so does the search for values that do not open (`verify_seals`).
"""

import asyncio

from identity.operations.integrity.find_missing_suppressions import SETTLED
from identity.operations.integrity.find_rolled_back import older_rows
from identity.operations.integrity.verify_erasures import check_erasures
from identity.operations.integrity.verify_seals import check_seals
from identity.operations.integrity.verify_space_lock import check_space_lock
from identity.planning.integrity.discrepancies import Discrepancies, Discrepancy
from identity.planning.integrity.suppressions_of_journal import LIFTS, suppressed_hashes
from identity.spaces.ledger_publication import require_published
from identity.spaces.vouched_keys import foreign_keys
from identity.store.integrity.verify import blocked_keys
from identity.store.postgres.database import Connection, Database
from identity.store.postgres.tenant import Tenant
from identity.store.privacy import holds, suppressions
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.errors import LedgerBroken, Quarantined
from identity.values.ids import public
from identity.vault.journal import Journal
from identity.vault.keyring import Keyring
from identity.vault.space_keys import SpaceKeys
from identity.vault.threads import in_key_store
from identity.vault.vouching.journal_heads import Heads, JournalHeads
from identity.vault.vouching.ledger_entries import is_vouched_entry


async def foreign_rows(database: Database, space: SpaceRow, keyring: Keyring) -> list[Discrepancy]:
    """The foreign and the older rows of a space by kind. KeyUnavailable, LedgerBroken."""
    database, findings = database.of_space(space.id), Discrepancies()
    keys = await in_key_store(keyring.space, space.public_id)
    journal = await in_key_store(keyring.journal, space.public_id)
    tenant = Tenant(space.id, space.bucket_base, space.spread)
    try:
        await require_published(database, tenant, journal)
    except (LedgerBroken, Quarantined) as error:
        # What such a journal says proves nothing.
        findings.add("journal_broken", error.code)
        await check_space_lock(database, space, keyring, Heads(), findings)
        return list(findings)
    reader = JournalHeads(keys, journal)
    await in_key_store(reader.read)
    async with database.reading() as connection:
        for key_id in await foreign_keys(connection, space.id, keys, reader.current):
            findings.add("key_foreign", key_id)
        for _, kind, label in await older_rows(connection, {space.id: reader.current}):
            findings.add(kind, label)
        await _check_suppressions(connection, tenant, keys, journal, findings)
        await _check_holds(connection, tenant, reader, findings)
        await _check_blocks(connection, tenant, reader, findings)
    await check_space_lock(database, space, keyring, reader.current, findings)
    await check_erasures(database, tenant, keys, journal, findings)
    await check_seals(database, tenant, keys, findings)
    return list(findings)


async def _check_suppressions(
    connection: Connection, tenant: Tenant, keys: SpaceKeys, journal: Journal, findings: Discrepancies
) -> None:
    """Compare the suppression list with the journal. A change in between may be in one of them only: look twice."""
    missing: set[bytes] | None = None
    foreign: set[bytes] | None = None
    for _ in range(2):
        recorded = suppressed_hashes(await in_key_store(_own_entries, keys, journal))
        stored = await suppressions.all_suppressed(connection, tenant)
        missing = recorded - stored if missing is None else missing & (recorded - stored)
        foreign = stored - recorded if foreign is None else foreign & (stored - recorded)
        if not missing and not foreign:
            return
        await asyncio.sleep(SETTLED)
    for kind, hashes in (("suppression_missing", missing or ()), ("suppression_foreign", foreign or ())):
        for hash_ in sorted(hashes):
            findings.add(kind, f"suppression {hash_.hex()}")


async def _check_holds(connection: Connection, tenant: Tenant, reader: JournalHeads, findings: Discrepancies) -> None:
    """Compare the holds with the journal, again after a moment: a release is in the database first."""
    for wait in (SETTLED, 0.0):
        stored = {public("hld", id_): keys for id_, keys in (await holds.named_keys(connection, tenant)).items()}
        await in_key_store(reader.read)
        lost = reader.current.lost_holds(stored)
        if not lost:
            return
        await asyncio.sleep(wait)
    for id_ in lost:
        findings.add("hold_missing", id_)


async def _check_blocks(connection: Connection, tenant: Tenant, reader: JournalHeads, findings: Discrepancies) -> None:
    """Compare the blocked identifiers with the journal, which follows the database: no block ever ends."""
    stored = await blocked_keys(connection, tenant)
    for label in reader.constraints.lost_blocks(stored):
        findings.add("block_missing", f"identifier {label}")


def _own_entries(keys: SpaceKeys, journal: Journal) -> list[bytes]:
    """The entries of a journal, but for one that lifts a suppression and that somebody else appended or repeated."""
    older, lifts = journal.vouched_after(), set()
    own = []
    for line in journal.after(0):
        if line.entry.startswith(LIFTS):
            if line.entry in lifts or (line.seq > older and not is_vouched_entry(keys, line.entry)):
                continue
            lifts.add(line.entry)
        own.append(line.entry)
    return own
