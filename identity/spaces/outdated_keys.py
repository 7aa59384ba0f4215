"""Finds out whether a database is older than its keys, as it is after a restore without the key store."""

from identity.store.keys import key_tables
from identity.store.postgres import space_lock
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.values.ids import SpaceId
from identity.vault.keyring import Keyring
from identity.vault.threads import in_key_store


async def is_older(database: Database, keyring: Keyring, tenant: Tenant, public_id: SpaceId) -> bool:
    """Whether the key store has newer key tables of a space than the database.

    A roll may change both between the two reads, so only a second look that finds the same counts.
    """
    for _ in range(2):
        if not await _looks_older(database, keyring, tenant, public_id):
            return False
    return True


async def _looks_older(database: Database, keyring: Keyring, tenant: Tenant, public_id: SpaceId) -> bool:
    async with database.reading() as connection:
        lock_row = await space_lock.read(connection, tenant.id)
        used = await key_tables.slot_epochs(connection, tenant)
    held = await in_key_store(keyring.epochs, public_id)
    return not used <= set(held) or keyring.newest_dump_epoch(public_id) > lock_row.epoch
