"""Rolls the epoch key of a space: every slot key goes under a new one, the old one is destroyed.

Crash-safe at each step, because each is repeated until nothing names the old epoch: first the
new key is in the key store, then the gate names it (so that no writer makes a slot under the old
one any more), then the slots follow one by one, and only then the old keys go.
"""

import asyncio

from identity.spaces import Space, Spaces
from identity.store import roll as store


async def roll(spaces: Spaces, space: Space) -> int:
    """One roll; returns the epoch in force afterwards."""
    keyring, database, space_id = spaces.keyring, spaces.database, space.tenant.id
    async with database.reading() as connection:
        old = await store.epoch(connection, space_id)
    new = old + 1
    await asyncio.to_thread(keyring.mint_epoch, space.public_id, new)
    async with database.transaction() as connection:
        await store.raise_epoch(connection, space_id, old)
    async with database.reading() as connection:
        behind = await store.older_slots(connection, space_id, new)
    for slot in behind:
        await _rewrap(space, slot, new)
    async with database.reading() as connection:
        left = await store.older_slots(connection, space_id, new)
    if not left:
        for epoch in await asyncio.to_thread(keyring.epochs, space.public_id):
            if epoch < new:
                await asyncio.to_thread(keyring.destroy_epoch, space.public_id, epoch)
    return new


async def _rewrap(space: Space, slot: int, new: int) -> None:
    async with space.database.transaction() as connection:
        epoch, wrapped = await store.lock_slot(connection, space.tenant.id, slot)
        if epoch < new:
            moved = space.keys.rewrap_slot(slot, epoch, wrapped, new)
            await store.write_slot(connection, space.tenant.id, slot, new, moved)
