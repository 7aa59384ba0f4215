"""Deletes the rows of deleted spaces, step by step, in any process that is free.

The keys go first, even if they are gone already: a deletion may be interrupted between its commit and the
destruction of the keys, which then happens here, before the row that names the space is deleted.
"""

from identity.spaces.space import Spaces
from identity.store.spaces import purge
from identity.values.ids import SpaceNumber
from identity.vault.threads import in_key_store


async def purge_deleted(spaces: Spaces) -> bool:
    """Do one bounded step; returns whether there is more to do. KeyUnavailable if keys cannot be destroyed."""
    await spaces.forget_deleted()
    async with spaces.database.transaction() as connection:
        found = await purge.next_deleted(connection)
        if found is None:
            return False
        space_id, public_id = found
        await in_key_store(spaces.keyring.destroy_space, public_id)
        await purge.step(connection, SpaceNumber(space_id))
    return True
