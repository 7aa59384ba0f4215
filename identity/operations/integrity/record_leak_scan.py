"""Writes into the ledger of every space that the database was scanned, and what came of it."""

import time
from typing import Any

from identity.store.ledger import ledger
from identity.store.postgres.database import Database
from identity.store.spaces import spaces_and_keys


async def note_scan(url: str, result: dict[str, Any]) -> int:
    """One entry `scan` by the operator in each live space; returns in how many."""
    database = Database(url, readers=1)
    await database.open()
    try:
        async with database.reading() as connection:
            spaces = await spaces_and_keys.list_spaces(connection)
        entry = ledger.entry("operator", "scan", None, time.time_ns() // 1000, result)
        for space in spaces:
            async with database.transaction() as connection:
                await ledger.append(connection, space.id, *entry)
    finally:
        await database.close()
    return len(spaces)
