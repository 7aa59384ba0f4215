"""Lays the newest keys over a database that was restored from a backup, before the database is served.

Invariant: the data may come from any backup, the keys only from the newest key tables. So a person who was erased
after the backup cannot be read even for a moment. Data that no key opens any more, because it was erased or
rewritten under another key, is removed.
"""

import asyncio
from typing import NamedTuple

from identity.operations.keys.dump_key_tables import prove_dump
from identity.spaces.space import Space, Spaces
from identity.store.keys import key_tables
from identity.store.postgres import space_lock
from identity.store.privacy import restore_erasures
from identity.values.errors import Misconfigured

NO_DUMP = (
    "The key store holds no dump of the keys of this space. Write one with `onefold keys dump`, or roll the epoch key."
)
OLDER = (
    "The dump of the keys of this space is older than the database. Restore the key store that belongs to the "
    "database, or leave the database as it is."
)


class OverlayResult(NamedTuple):
    """The epoch before and after, how many keys the dump holds, and how many profiles were removed.

    The two epochs are equal where nothing was to be done, or where the backup was taken during a roll.
    """

    before: int
    epoch: int
    keys: int
    gone: int


async def overlay_keys(spaces: Spaces, space: Space) -> OverlayResult:
    """Replaces the keys of the database by those of the newest dump. Misconfigured without a dump.

    Keys of the same epoch as the dump are as new, and stay.
    """
    dump = await asyncio.to_thread(spaces.keyring.newest_dump, space.public_id)
    if dump is None:
        raise Misconfigured(NO_DUMP)
    async with space.database.reading() as connection:
        before = (await space_lock.read(connection, space.tenant.id)).epoch
        epochs = await key_tables.slot_epochs(connection, space.tenant)
    # A backup that was taken during a roll names the new epoch, and has slots of the one before.
    if dump.head.epoch == before and epochs <= {before}:
        return OverlayResult(before, before, 0, 0)
    if dump.head.epoch < before:
        raise Misconfigured(OLDER)
    await prove_dump(space, dump)
    slots = [key_tables.DumpedSlotRow(slot, dump.head.epoch, wrapped) for slot, wrapped in dump.slots]
    pages = ([key_tables.DumpedSubjectRow(*each) for each in page] for page in dump.subjects())
    writer = await space.database.writer()
    try:
        async with writer.transaction():
            lost = await key_tables.replace(writer, space.tenant, dump.head.epoch, slots, pages)
            gone = await restore_erasures.remove_unreadable(writer, space.tenant, lost)
    finally:
        await writer.close()
    return OverlayResult(before, dump.head.epoch, dump.head.subjects, gone)
