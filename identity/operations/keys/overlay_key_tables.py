"""Lays the newest keys over a database that was restored from a backup, before the database is served.

Invariant: the data may come from any backup, the keys only from the newest key tables. So a person who was erased
after the backup cannot be read even for a moment. Data that no key opens any more, because it was erased or
rewritten under another key, is removed.
"""

from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from identity.operations.keys.dump_key_tables import prove_dump
from identity.spaces.key_store_comparison import lost_spaces
from identity.spaces.ledger_publication import heads_of_files
from identity.spaces.space import Space, Spaces
from identity.store.keys import key_tables
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection
from identity.store.privacy import restore_erasures
from identity.store.spaces import jobs, spaces_and_keys
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.enums import JobKind
from identity.values.errors import Misconfigured
from identity.values.ids import JobId, ProfileId, new_id, public
from identity.vault.seal import JOB
from identity.vault.threads import in_key_store

NO_DUMP = (
    "The key store holds neither the epoch key that this space needs nor a dump of its keys. Put the newest copy of "
    "the key store in place; if there is none, nobody can read the space, and DELETE /v1/spaces/{id} deletes it."
)
NO_KEYS = (
    "The key store holds neither keys nor journal of this space{}. If you deleted the space after the backup, run "
    "`onefold keys overlay --deleted {}` to delete it again; otherwise put the newest copy of the key store in place."
)
UNNAMED = ", and it holds keys of spaces that the database does not name, {}: somebody may have edited the id"
RENAMED = (
    "The rows are those of {}, whose keys and journal are in the key store: somebody edited the id of the space. "
    "Nothing was changed. Put the id back with onefold psql: UPDATE space SET public_id = '{}' WHERE id = {}"
)
OLDER = (
    "The dump of the keys of this space is older than the database. Restore the key store that belongs to the "
    "database, or leave the database as it is."
)
NO_KEY: Final = 0
"""The number in the place of an API key, where the operator acts."""


class OverlayResult(NamedTuple):
    """The epoch before and after, how many keys the dump holds, and the ids of the profiles that were removed.

    With `rebuilds` a rebuild of the space is queued, since origins that calls may link were left apart. The two epochs
    are equal where nothing was to be done, or where the backup was taken during a roll.
    """

    before: int
    epoch: int
    keys: int
    removed: tuple[ProfileId, ...] = ()
    rebuilds: bool = False


async def overlay_space(spaces: Spaces, row: SpaceRow, *, deleted: bool, named: bool) -> OverlayResult | None:
    """As `overlay_keys`; with `deleted` a deleted space is deleted again, and the result is None. Misconfigured.

    The journal of the space proves its deletion. Where the key store has nothing of the space, nothing proves it: an
    older key store lacks a newer space too, and a database writer can edit the id in the row. So the operator has to
    name the id, and even then no row is deleted whose journal is there under another id.
    """
    if await in_key_store(spaces.keyring.has_space, row.public_id):
        heads = await heads_of_files(spaces.keyring, row) if deleted else None
        if heads is None or not heads.may_be_destroyed:
            return await overlay_keys(spaces, await spaces.restored(row.id))
    else:
        await _require_deleted(spaces, row, confirmed=deleted and named)
    async with spaces.database.of_space(row.id).transaction() as connection:
        await spaces_and_keys.delete_space(connection, row.id)
    return None


async def _require_deleted(spaces: Spaces, row: SpaceRow, *, confirmed: bool) -> None:
    """Misconfigured unless the operator confirmed that a space without keys was deleted, and nothing contradicts."""
    lost = await lost_spaces(spaces.database, spaces.keyring)
    for each in lost:
        if each.named_as == row.public_id:
            true_id = public("spc", each.public_id)
            raise Misconfigured(RENAMED.format(true_id, UUID(bytes=each.public_id), row.id))
    if not confirmed:
        unnamed = ", ".join(public("spc", each.public_id) for each in lost)
        raise Misconfigured(NO_KEYS.format(UNNAMED.format(unnamed) if lost else "", public("spc", row.public_id)))


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
        return OverlayResult(before=before, epoch=before, keys=0)
    # A backup that was taken during a roll names the new epoch, and has slots of the one before.
    if dump.head.epoch == before and epochs <= {before}:
        return OverlayResult(before=before, epoch=before, keys=0)
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
            gone, parted = await restore_erasures.remove_unreadable(writer, space.tenant, lost)
            if parted:
                await _queue_rebuild(space, writer)
    finally:
        await writer.close()
    return OverlayResult(
        before=before,
        epoch=dump.head.epoch,
        keys=dump.head.subjects,
        removed=tuple(gone),
        rebuilds=bool(parted),
    )


async def _queue_rebuild(space: Space, connection: Connection) -> None:
    """Queue a rebuild, which a server runs once the erasures of the journal are repeated.

    A call may name people whose erasure is not repeated yet, so nothing is joined before.
    """
    id_ = JobId(new_id())
    payload = space.keys.seal(JOB, id_, 0, msgspec.json.encode({"actor": NO_KEY}))
    await jobs.add(connection, space.tenant, id_, JobKind.REBUILD, payload)
