"""Finds the rows of a space that Onefold did not store as they are: their MACs do not verify.

Only this part of an audit needs the root key. It changes nothing in the key store.
"""

import asyncio

from identity.planning.integrity.discrepancies import Discrepancies, Discrepancy
from identity.spaces.vouched_keys import foreign_keys
from identity.store.postgres.database import Database
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.vault.keyring import Keyring


async def foreign_rows(database: Database, space: SpaceRow, keyring: Keyring) -> list[Discrepancy]:
    """The foreign rows of a space by kind. KeyUnavailable."""
    findings = Discrepancies()
    keys = await asyncio.to_thread(keyring.space, space.public_id)
    async with database.reading() as connection:
        for key_id in await foreign_keys(connection, space.id, keys):
            findings.add("key_foreign", key_id)
    return list(findings)
