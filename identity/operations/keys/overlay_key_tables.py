"""Lays the newest keys over a database that was restored from a backup, before the database is served.

Invariant: the data may come from any backup, the keys only from the newest key tables. So a person who was erased
after the backup cannot be read even for a moment. Data that no key opens any more, because it was erased or
rewritten under another key, is removed.
"""

from typing import NamedTuple

from identity.operations.keys.dump_key_tables import prove_dump
from identity.spaces.space import Space, Spaces
from identity.store.keys import key_tables
from identity.store.postgres import space_lock
from identity.store.privacy import restore_erasures
from identity.store.spaces import spaces_and_keys
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.errors import Misconfigured
from identity.values.ids import ProfileId
from identity.vault.threads import in_key_store

NO_DUMP = (
    "The key store holds neither the epoch key that this space needs nor a dump of its keys. Put the newest copy of "
    "the key store in place; if there is none, nobody can read the space, and DELETE /v1/spaces/{id} deletes it."
)
NO_KEYS = (
    "The key store holds no keys of this space. If the space was deleted after the backup, run `onefold keys overlay "
    "--deleted` to delete it again; otherwise put the newest copy of the key store in place."
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


async def overlay_space(spaces: Spaces, row: SpaceRow, *, deleted: bool) -> OverlayResult | None:
    """As `overlay_keys`; with `deleted` a space without keys is deleted, and the result is None. Misconfigured.

    The key store holds no keys of a space that was deleted after the backup. An older key store holds none of a newer
    space either, so only the operator can decide.
    """
    if await in_key_store(spaces.keyring.has_space, row.public_id):
        return await overlay_keys(spaces, await spaces.restored(row.id))
    if not deleted:
        raise Misconfigured(NO_KEYS)
    async with spaces.database.transaction() as connection:
        await spaces_and_keys.delete_space(connection, row.id)
    return None


async def overlay_keys(spaces: Spaces, space: Space) -> OverlayResult:
    """Replaces the keys of the database by those of the newest dump. Misconfigured without the keys it needs.

    Keys of the same epoch as the dump are as new, and stay. A space that never had another epoch needs no dump.
    """
    dump = await in_key_store(spaces.keyring.newest_dump, space.public_id)
    async with space.database.reading() as connection:
        before = (await space_lock.read(connection, space.tenant.id)).epoch
        epochs = await key_tables.slot_epochs(connection, space.tenant)
    if dump is None:
        if not epochs <= set(await in_key_store(spaces.keyring.epochs, space.public_id)):
            raise Misconfigured(NO_DUMP)
        return OverlayResult(before, before, 0, 0)
    # A backup that was taken during a roll names the new epoch, and has slots of the one before.
    if dump.head.epoch == before and epochs <= {before}:
        return OverlayResult(before, before, 0, 0)
    if dump.head.epoch < before:
        raise Misconfigured(OLDER)
    await prove_dump(space, dump)
    slots = [key_tables.DumpedSlotRow(slot, dump.head.epoch, wrapped) for slot, wrapped in dump.slots]
    pages = (
        [key_tables.DumpedSubjectRow(ProfileId(id_), slot, key_id, wrapped) for id_, slot, key_id, wrapped in page]
        for page in dump.subjects()
    )
    writer = await space.database.writer()
    try:
        async with writer.transaction():
            lost = await key_tables.replace(writer, space.tenant, dump.head.epoch, slots, pages)
            gone = await restore_erasures.remove_unreadable(writer, space.tenant, lost)
    finally:
        await writer.close()
    return OverlayResult(before, dump.head.epoch, dump.head.subjects, gone)
