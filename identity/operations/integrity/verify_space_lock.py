"""Compares the row of a space and that of its lock with the key store, the journal and other rows."""

import asyncio

from identity.operations.integrity.find_missing_suppressions import SETTLED
from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.integrity.space_lock_check import HeldKeys, SpaceLockFacts, space_lock_differences
from identity.store.integrity.settings_versions import marks_and_rules
from identity.store.postgres import space_lock
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.enums import SpaceMark
from identity.values.errors import SpaceNotFound
from identity.values.stamps import wall_time
from identity.vault.keyring import Keyring
from identity.vault.threads import in_key_store
from identity.vault.vouching.journal_heads import Heads


async def check_space_lock(
    database: Database, space: SpaceRow, keyring: Keyring, heads: Heads, findings: Discrepancies
) -> None:
    """Add what differs. A roll or a rotation may change both meanwhile, so only what differs twice counts.

    The journal is behind the database, and so `heads` are a lower bound. KeyUnavailable.
    """
    found = await _differences(database, space, keyring, heads)
    if found:
        await asyncio.sleep(SETTLED)
        again = await _differences(database, space, keyring, heads)
        found = [label for label in found if label in again]
    for label in found:
        findings.add("space_lock_differs", label)


async def _differences(database: Database, space: SpaceRow, keyring: Keyring, heads: Heads) -> list[str]:
    indexes = await in_key_store(keyring.indexes, space.public_id)
    epochs = await in_key_store(keyring.epochs, space.public_id)
    async with database.reading() as connection:
        try:
            row = await space_lock.read(connection, space.id)
        except SpaceNotFound:
            return ["the row of the space lock is missing"]
        marks, rules_at = await marks_and_rules(connection, Tenant(space.id, space.bucket_base, space.spread))
    facts = SpaceLockFacts(
        versions=row.versions,
        epoch=row.epoch,
        stamp=row.stamp,
        marks=SpaceMark(row.marks),
        needed=SpaceMark(marks),
        rules_at=rules_at,
        base=space.bucket_base,
        bucket=spaces_and_keys.bucket_of(space.public_id),
        spread=space.spread,
    )
    held = HeldKeys(indexes=indexes, epochs=epochs, newest_index=heads.index, newest_epoch=heads.epoch)
    return space_lock_differences(facts, held, wall_time())
