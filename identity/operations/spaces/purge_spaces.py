"""Deletes the rows of deleted spaces, step by step, in any process that is free.

The keys go first, even if they are gone already: a deletion may be interrupted between its commit and the
destruction of the keys, which then happens here, before the row that names the space is deleted. A space whose journal
records no deletion is passed over: see `identity.spaces.ledger_publication`.
"""

from identity.spaces.ledger_publication import unvouched_deletions
from identity.spaces.space import Spaces
from identity.store.spaces import purge, spaces_and_keys
from identity.vault.threads import in_key_store


async def purge_deleted(spaces: Spaces) -> bool:
    """Do one bounded step; returns whether there is more to do. KeyUnavailable if keys cannot be destroyed."""
    await spaces.forget_deleted()
    async with spaces.database.of_all_spaces.reading() as connection:
        deleted = {row.id: row.public_id for row in await spaces_and_keys.list_deleted(connection)}
    if not deleted:
        return False
    passed_over = {row.id for row in await unvouched_deletions(spaces.database, spaces.keyring)}
    async with spaces.database.of_all_spaces.transaction() as connection:
        found = await purge.next_deleted(connection, sorted(deleted.keys() - passed_over))
        if found is None:
            return False
        await in_key_store(spaces.keyring.destroy_space, deleted[found])
        await purge.step(connection, found)
    return True
