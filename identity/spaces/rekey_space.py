"""Completes a rotation of the index key, profile by profile, during reads and writes.

Each step is a transaction of its own under the space lock held alone and skips what an earlier step did. So the walk
may die anywhere, start again, and run in several processes at once. One walk is enough, because every writer rekeys
what it writes to (`identity.spaces.rekey_profiles`).
"""

from collections.abc import Awaitable, Callable
from functools import partial

from identity.planning.corrections import rekey_rows
from identity.planning.resolution.stored_calls import split_keys
from identity.spaces.rekey_profiles import AT_ONCE, rekey_all, rekey_groups, rekey_profiles
from identity.spaces.retry import RetryPolicy, repeat
from identity.spaces.space import Space
from identity.store.corrections import connected_profiles
from identity.store.keys import index_key_rotation, rekey_sql
from identity.store.keys.rekey_sql import RekeyedRows
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection, translated
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.space_lock import SpaceLockRow
from identity.values.enums import HistoryKind, StoredKind
from identity.values.errors import Conflict, KeyUnavailable
from identity.values.ids import FIRST_PROFILE
from identity.values.stamps import Micros, first_stamp

Progress = Callable[[int, int], Awaitable[None]]
_UNMERGE = StoredKind.UNMERGE
_FIRST = bytes(16)
# A missing key too: a roll may have moved it after it was read and before it was opened.
_POLICY = RetryPolicy(attempts=8, jitter=0.01, conflicts=(Conflict, KeyUnavailable))


async def _quiet(_done: int, _total: int) -> None:
    """Reports to nobody."""


async def activate_next_version(space: Space, connection: Connection, lock_row: SpaceLockRow, now: Micros) -> None:
    """Puts the next version, which is in the key store, in force, with the keys of types under it.

    The space lock is held alone.
    """
    index = space.keys.index(lock_row.newest + 1)
    names = [(code, index.type_name(name)) for code, name in (await space.read_types(connection)).items()]
    await index_key_rotation.begin(connection, space.tenant.id, names, max(lock_row.stamp, first_stamp(now)))


async def rotate_up_to(space: Space, connection: Connection, version: int, now: Micros) -> None:
    """Ends a rotation under way, and makes those up to a version, in one transaction of a restore.

    The entries of the journal that follow name everything by the keys of that version.
    """
    lock_row = await space_lock.take_exclusive(connection, space.tenant.id)
    while lock_row.newest < version or lock_row.live < lock_row.newest:
        if lock_row.live == lock_row.newest:
            await activate_next_version(space, connection, lock_row, now)
            lock_row = lock_row._replace(newest=lock_row.newest + 1)
        space.keys.set_versions(lock_row.versions)
        await rekey_all(space, connection)
        await _end(space, connection, lock_row.newest)
        lock_row = lock_row._replace(live=lock_row.newest)


async def finish_rotation(space: Space, progress: Progress = _quiet) -> None:
    """Returns once everything is under the newest version. KeyUnavailable if an older version is missing."""
    await space.refresh_versions()
    version = space.keys.versions.newest
    if space.keys.versions.live == version:
        return
    await space.read_types()
    # Not from the pool: a step reads rules on a second connection while it holds the space lock.
    with translated():
        connection = await space.database.writer()
    try:
        await _walk(space, connection, version, progress)
    finally:
        await connection.close()
    await space.refresh_versions()


async def _walk(space: Space, connection: PipelineConnection, version: int, progress: Progress) -> None:
    async with space.database.reading() as reading:
        total = await connected_profiles.count_origins(reading, space.tenant)
    groups: bytes | None = _FIRST
    while groups is not None:
        groups = await _step(space, connection, version, partial(rekey_groups, space, connection, groups))
    after, done = FIRST_PROFILE, 0
    while True:
        async with space.database.reading() as reading:
            page = await connected_profiles.list_origins(reading, space.tenant, after, AT_ONCE)
        if not page:
            break
        ids = [id_ for id_, _ in page]
        await _step(space, connection, version, partial(rekey_profiles, space, connection, ids))
        after, done = ids[-1], done + len(ids)
        await progress(done, max(done, total))
    await _step(space, connection, version, partial(_end, space, connection, version))


async def _step(
    space: Space, connection: PipelineConnection, version: int, work: Callable[[], Awaitable[bytes | None]]
) -> bytes | None:
    """One transaction under the space lock held alone; does nothing once another version is in force."""

    async def attempt() -> bytes | None:
        with translated():
            async with connection.transaction():
                lock_row = await space_lock.take_exclusive(connection, space.tenant.id)
                if lock_row.newest != version or lock_row.live == version:
                    return None
                return await work()

    return await repeat(_POLICY, attempt)


async def _end(space: Space, connection: Connection, version: int) -> None:
    """Rekeys the unmerges that named identifiers before these were rekeyed, and ends the rotation."""
    tenant = space.tenant
    evidence, history = await index_key_rotation.correction_rows(connection, tenant, _UNMERGE, HistoryKind.UNMERGED)
    keys = {key for act in evidence for key in split_keys(act.kept)}
    keys |= {key for *_, packed in history for key in split_keys(packed)}
    names = await rekey_sql.known_new_keys(connection, tenant, sorted(keys))
    acts = [(act.origin, act.stamp, rekey_rows.rekey_keys(act.kept, names), None) for act in evidence]
    lines = [(id_, stamp, seq, rekey_rows.rekey_keys(packed, names)) for id_, stamp, seq, packed in history]
    await rekey_sql.write(
        connection,
        tenant,
        RekeyedRows(identifiers=[], counters=[], sightings=[], evidence=acts, claims=[], history=lines),
    )
    await index_key_rotation.end(connection, tenant, version)
