"""The key tables of a space as a whole: read in one snapshot for a dump, and restored from one.

A row whose key is not in the restored set, or is another one, was erased or rewritten since the backup: the key is
not restored, and the caller deletes the row. A key of a row that was made after the backup is left out.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import LiteralString, NamedTuple

from identity.store.integrity.verify import stream
from identity.store.postgres import space_lock
from identity.store.postgres.arrays import byteas, int2s, int4s, uuids
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import ProfileId, SubjectId

_SLOTS: LiteralString = """
SELECT slot, epoch, wrapped FROM slot_key WHERE space_id = $1::int4 AND bucket = $2::int4 ORDER BY slot
"""
_SUBJECTS: LiteralString = """
SELECT profile_id, slot, key_id, wrapped FROM subject_key WHERE space_id = $1::int4 AND bucket = $2::int4
"""


class DumpedSlotRow(NamedTuple):
    """A slot key of the table."""

    slot: int
    epoch: int
    wrapped: bytes


class DumpedSubjectRow(NamedTuple):
    """A subject key of the table."""

    profile_id: SubjectId
    slot: int
    key_id: bytes
    wrapped: bytes


async def slot_keys(connection: Connection, tenant: Tenant) -> list[DumpedSlotRow]:
    """All slot keys."""
    return [DumpedSlotRow(*each) for each in await rows(connection, _SLOTS, tenant.id, tenant.base)]


async def slot_epochs(connection: Connection, tenant: Tenant) -> set[int]:
    """The epochs that the slot keys of a space are wrapped under: two during a roll."""
    found = await rows(
        connection,
        "SELECT DISTINCT epoch FROM slot_key WHERE space_id = $1::int4 AND bucket = $2::int4",
        tenant.id,
        tenant.base,
    )
    return {int(epoch) for (epoch,) in found}


async def epochs_in_use(connection: Connection) -> list[tuple[bytes, int]]:
    """(public id of a space, epoch) of every epoch that a slot key of a live space is wrapped under."""
    found = await rows(
        connection,
        """
        SELECT s.public_id, w.epoch FROM space s
        JOIN slot_key w ON w.space_id = s.id AND w.bucket = s.bucket_base
        WHERE s.deleted_at IS NULL GROUP BY s.public_id, w.epoch
        """,
    )
    return [(bytes(public_id), int(epoch)) for public_id, epoch in found]


async def count_subject_keys(connection: Connection, tenant: Tenant) -> int:
    """How many subject keys there are."""
    found = await row(
        connection,
        "SELECT count(*) FROM subject_key WHERE space_id = $1::int4 AND bucket = $2::int4",
        tenant.id,
        tenant.base,
    )
    return 0 if found is None else int(found[0])


async def subject_keys(connection: Connection, tenant: Tenant) -> AsyncIterator[list[DumpedSubjectRow]]:
    """All subject keys, some thousands at a time."""
    async for found in stream(connection, _SUBJECTS, tenant):
        yield [DumpedSubjectRow(*each) for each in found]


async def replace(
    connection: Connection,
    tenant: Tenant,
    epoch: int,
    slots_: Sequence[DumpedSlotRow],
    pages: Iterable[Sequence[DumpedSubjectRow]],
) -> list[SubjectId]:
    """Replace all keys by these; returns the ids of the rows that no key opens any more."""
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute("SET LOCAL enable_seqscan = on")
    await space_lock.take_exclusive(connection, tenant.id)
    before: dict[SubjectId, bytes] = {
        ProfileId(bytes(id_)): bytes(key_id)
        for id_, _, key_id, _ in await rows(connection, _SUBJECTS, tenant.id, tenant.base)
    }
    where = [tenant.id, tenant.base]
    await connection.execute("DELETE FROM subject_key WHERE space_id = $1::int4 AND bucket = $2::int4", where)
    await connection.execute("DELETE FROM slot_key WHERE space_id = $1::int4 AND bucket = $2::int4", where)
    await connection.execute(
        """
        INSERT INTO slot_key (space_id, slot, bucket, epoch, wrapped)
        SELECT $1::int4, u.slot, $2::int4, u.epoch, u.wrapped
        FROM unnest($3::int2[], $4::int4[], $5::bytea[]) AS u (slot, epoch, wrapped)
        """,
        [
            *where,
            int2s([s.slot for s in slots_]),
            int4s([s.epoch for s in slots_]),
            byteas([s.wrapped for s in slots_]),
        ],
    )
    kept: set[SubjectId] = set()
    for all_ in pages:
        page = [subject for subject in all_ if before.get(subject.profile_id) == subject.key_id]
        kept |= {subject.profile_id for subject in page}
        await connection.execute(
            """
            INSERT INTO subject_key (profile_id, space_id, bucket, slot, key_id, wrapped)
            SELECT u.id, $1::int4, $2::int4, u.slot, u.key_id, u.wrapped
            FROM unnest($3::uuid[], $4::int2[], $5::uuid[], $6::bytea[]) AS u (id, slot, key_id, wrapped)
            """,
            [
                *where,
                uuids([subject.profile_id for subject in page]),
                int2s([subject.slot for subject in page]),
                uuids([subject.key_id for subject in page]),
                byteas([subject.wrapped for subject in page]),
            ],
        )
    await space_lock.set_epoch(connection, tenant.id, epoch)
    return list(before.keys() - kept)
