"""Clears away what is left of deleted spaces, step by step, by whichever process has time.

The keys go first, again if need be: a deletion that was killed between its commit and the
destruction of the keys is made good here, before the last row that names the space goes.
"""

import asyncio

from identity.spaces.space import Spaces
from identity.store.spaces import purge


async def purge_deleted(spaces: Spaces) -> bool:
    """One bounded step; whether there is more to do. KeyUnavailable if keys cannot be destroyed."""
    await spaces.forget_deleted()
    async with spaces.database.transaction() as connection:
        found = await purge.next_deleted(connection)
        if found is None:
            return False
        space_id, public_id = found
        await asyncio.to_thread(spaces.keyring.destroy_space, public_id)
        await purge.step(connection, space_id)
    return True
