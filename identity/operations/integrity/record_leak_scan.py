"""Records a scan for leaks and its result in the ledger of every space."""

from identity.store.ledger import ledger
from identity.store.postgres.database import Database
from identity.store.spaces import spaces_and_keys
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import wall_time


async def note_scan(url: str, result: JsonObject) -> int:
    """Append an entry `scan` by the operator in each space; returns the number of spaces."""
    database = Database(url, readers=1)
    await database.open()
    try:
        async with database.of_all_spaces.reading() as connection:
            spaces = await spaces_and_keys.list_spaces(connection)
        entry = ledger.entry(ledger.OPERATOR, LedgerAction.LEAK_SCANNED, None, wall_time(), result)
        for space in spaces:
            async with database.of_space(space.id).transaction() as connection:
                await ledger.append(connection, space.id, *entry)
    finally:
        await database.close()
    return len(spaces)
