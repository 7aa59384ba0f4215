"""Rotates the index key of a space during reads and writes: every blind index is computed anew.

The new version is in the key store before the space lock names it, so no blind index is made under the old one any
more; then a job rekeys everything (`identity.spaces.rekey_space`). The old version is destroyed once nothing can be
under it. Message ids expire by themselves; bare hashes of identifiers that were removed, blocked or erased keep the
old version in use as long as there are any. Each step repeats until it is done, so the next process finishes a
rotation that died.
"""

from typing import Final

import structlog
from msgspec import Struct

from identity.planning.resolution.event_time import format_time
from identity.spaces.rekey_space import Progress, activate_next_version, finish_rotation
from identity.spaces.space import Space, Spaces
from identity.store.keys import index_key_rotation
from identity.store.ledger import ledger
from identity.store.ledger.ledger import OPERATOR
from identity.store.postgres import space_lock
from identity.values.calls import DAY
from identity.values.errors import OnefoldError
from identity.values.ids import SpaceNumber
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Micros, first_stamp, stamp_time, wall_time
from identity.vault.threads import in_key_store
from identity.vault.vouching.ledger_entries import vouch_for_entry

MESSAGE_DAYS: Final = 8
"""The default for how many days message ids are kept."""
# A message is as old as its batch, whose stamp may be a little ahead of the clock of this process.
_MARGIN: Final = DAY // 24
_log = structlog.get_logger(__name__)


async def begin(spaces: Spaces, space: Space, actor: str = OPERATOR) -> int:
    """Puts a new version in force, unless a rotation is under way, and returns the newest version."""
    await space.refresh_versions()
    versions = space.keys.versions
    if versions.live == versions.newest:
        await in_key_store(spaces.keyring.create_index_key, space.public_id, versions.newest + 1)
        await space.read_types()
        async with space.database.transaction() as connection:
            lock_row = await space_lock.take_exclusive(connection, space.tenant.id)
            if lock_row.versions == versions:
                now = wall_time()
                await activate_next_version(space, connection, lock_row, now)
                entry = ledger.entry(actor, LedgerAction.INDEX_ROTATED, None, now, {"version": versions.newest + 1})
                await ledger.append(connection, space.tenant.id, *vouch_for_entry(space.keys, entry))
        await space.publish()
        await space.refresh_versions()
    return space.keys.versions.newest


class IndexKeyState(Struct, frozen=True):
    """The newest and the oldest version of an index key, and the reasons to keep the older ones.

    `hashes_left` counts bare hashes under older versions; `messages_until` is the time (RFC 3339) up to which
    message ids may be under one. The job of a rotation stores this as its result.
    """

    version: int
    oldest: int
    hashes_left: int
    messages_until: str | None


async def rotate(spaces: Spaces, space: Space, progress: Progress, message_days: int = MESSAGE_DAYS) -> IndexKeyState:
    """The job of a rotation: brings everything under the newest version and destroys older ones if possible."""
    await finish_rotation(space, progress)
    return await destroy_unused(spaces, space, message_days)


async def destroy_unused(spaces: Spaces, space: Space, message_days: int = MESSAGE_DAYS) -> IndexKeyState:
    """Destroys the older versions of the index key unless something needs them."""
    kept = message_days * DAY + _MARGIN
    space_id = space.tenant.id
    async with space.database.transaction() as connection:
        lock_row = await space_lock.take_exclusive(connection, space_id)
        since = await index_key_rotation.in_force_since(connection, space_id)
        await index_key_rotation.forget_messages(connection, space_id, first_stamp(Micros(wall_time() - kept)))
        left = (
            await index_key_rotation.count_unresolved(connection, space.tenant)
            if lock_row.live == lock_row.newest
            else 0
        )
        if not left:
            await index_key_rotation.close(connection, space_id)
    await space.refresh_versions()
    versions = space.keys.versions
    await in_key_store(_destroy, spaces, space)
    until = None
    if versions.messages < versions.newest:
        until = format_time(Micros(stamp_time(since) + kept))
    return IndexKeyState(version=versions.newest, oldest=versions.oldest, hashes_left=left, messages_until=until)


def _destroy(spaces: Spaces, space: Space) -> None:
    """Destroys the versions that no row needs, and never the newest of the key store, whatever the space lock says."""
    held, versions = spaces.keyring.indexes(space.public_id), space.keys.versions
    for version in held[:-1]:
        if version < min(versions) and versions.newest in held:
            spaces.keyring.destroy_index(space.public_id, version)


async def destroy_unused_everywhere(spaces: Spaces, message_days: int) -> None:
    """Destroys the unused older versions of every space, those that an earlier attempt left included."""
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await index_key_rotation.versions(connection)
    for space_id, versions in found:
        try:
            space = await spaces.get(SpaceNumber(space_id))
            if versions.oldest < versions.newest:
                await destroy_unused(spaces, space, message_days)
            else:
                space.keys.set_versions(versions)
                await in_key_store(_destroy, spaces, space)
        except OnefoldError as error:
            _log.warning("index.not_settled", space=spaces.name_in_logs(SpaceNumber(space_id)), code=error.code)
