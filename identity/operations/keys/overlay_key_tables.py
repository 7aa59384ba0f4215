"""Lays the newest keys over a database that was restored from a backup, before it is served.

Data from any backup, keys only from the newest key tables: who was erased since cannot be read even
for a moment. What no key opens any more (erased since, or rewritten under another key) goes with it.
"""

import asyncio
from typing import NamedTuple

from identity.operations.keys.dump_key_tables import prove
from identity.spaces.space import Space, Spaces
from identity.store.keys import epoch_key_roll, key_tables
from identity.store.privacy import restore_erasures
from identity.values.errors import Misconfigured

NO_DUMP = "There is no dump of this space's keys in the key store; only a roll or `onefold keys dump` writes one."
OLDER = (
    "The dump of this space's keys is older than the database. Restore the key store that belongs to it, "
    "or leave the database as it is."
)


class Laid(NamedTuple):
    """What came of it: from which epoch to which, how many keys, and how many profiles went."""

    before: int
    epoch: int
    keys: int
    gone: int


async def overlay(spaces: Spaces, space: Space) -> Laid:
    """Puts the keys of the newest dump in the place of the database's. Misconfigured where there is none.

    Nothing is done where the database's keys are of the same epoch: then they are as new.
    """
    dump = await asyncio.to_thread(spaces.keyring.newest_dump, space.public_id)
    if dump is None:
        raise Misconfigured(NO_DUMP)
    async with space.database.reading() as connection:
        before = await epoch_key_roll.epoch(connection, space.tenant.id)
    if dump.head.epoch == before:
        return Laid(before, before, 0, 0)
    if dump.head.epoch < before:
        raise Misconfigured(OLDER)
    await prove(space, dump)
    slots = [key_tables.DumpedSlotRow(slot, dump.head.epoch, wrapped) for slot, wrapped in dump.slots]
    pages = ([key_tables.DumpedSubjectRow(*each) for each in page] for page in dump.subjects())
    writer = await space.database.writer()
    try:
        async with writer.transaction():
            lost = await key_tables.replace(writer, space.tenant, dump.head.epoch, slots, pages)
            gone = await restore_erasures.remove_unreadable(writer, space.tenant, lost)
    finally:
        await writer.close()
    return Laid(before, dump.head.epoch, dump.head.subjects, gone)
