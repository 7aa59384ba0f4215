"""Finds the rows of a space that Onefold did not store as they are, and rows that are older than the journal records.

Only this part of an audit needs the root key.
"""

import asyncio

from identity.operations.integrity.find_rolled_back import older_rows
from identity.planning.integrity.discrepancies import Discrepancies, Discrepancy
from identity.spaces.vouched_keys import foreign_keys
from identity.store.postgres.database import Database
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.vault.keyring import Keyring
from identity.vault.vouching.journal_heads import JournalHeads


async def foreign_rows(database: Database, space: SpaceRow, keyring: Keyring) -> list[Discrepancy]:
    """The foreign and the older rows of a space by kind. KeyUnavailable, LedgerBroken."""
    findings = Discrepancies()
    keys = await asyncio.to_thread(keyring.space, space.public_id)
    reader = JournalHeads(keys, await asyncio.to_thread(keyring.journal, space.public_id))
    await asyncio.to_thread(reader.read)
    async with database.reading() as connection:
        for key_id in await foreign_keys(connection, space.id, keys, reader.current):
            findings.add("key_foreign", key_id)
        for _, kind, label in await older_rows(connection, {space.id: reader.current}):
            findings.add(kind, label)
    return list(findings)
