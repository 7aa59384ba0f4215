"""Clears away what is left of deleted spaces, step by step, by whichever process has time."""

from identity.spaces import Spaces
from identity.store import purge


async def purge_deleted(spaces: Spaces) -> int | None:
    """One bounded step; how many profiles it removed, None when nothing is left to do."""
    async with spaces.database.transaction() as connection:
        return await purge.step(connection)
