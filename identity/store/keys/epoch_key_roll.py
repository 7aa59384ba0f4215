"""The rows of a key roll: slot keys and the subject keys under them.

A slot is locked before its subject keys are read, so no key is made or destroyed there until the roll of the slot
commits.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from identity.store.postgres.arrays import byteas, int2s, uuids
from identity.store.postgres.database import Connection, Database, row, rows
from identity.values.ids import ProfileId, SpaceNumber
from identity.values.stamps import Micros


class SlotKeyRow(NamedTuple):
    """A slot's key under its epoch key; `touched`: a subject key under it was destroyed."""

    slot: int
    epoch: int
    wrapped: bytes
    touched: bool


class WrappedSubjectRow(NamedTuple):
    """A subject key under its slot's key."""

    profile_id: ProfileId
    slot: int
    key_id: bytes
    wrapped: bytes


@asynccontextmanager
async def exclusive_roll(database: Database, space_id: SpaceNumber) -> AsyncIterator[bool]:
    """Whether this process alone rolls the space, for as long as the block lasts."""
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield (
            await row(connection, "SELECT 1 FROM space WHERE id = $1::int4 FOR UPDATE SKIP LOCKED", space_id)
        ) is not None


async def older_slots(connection: Connection, space_id: SpaceNumber, than: int) -> list[tuple[int, bool]]:
    """The slots wrapped under an older epoch than this, and whether each is touched."""
    found = await rows(
        connection,
        "SELECT slot, touched FROM slot_key WHERE space_id = $1::int4 AND epoch < $2::int4 ORDER BY slot",
        space_id,
        than,
    )
    return [(slot, touched) for slot, touched in found]


async def lock_slots(connection: Connection, space_id: SpaceNumber, slots: Sequence[int]) -> list[SlotKeyRow]:
    """These slots, locked against writers that make or destroy a key under them."""
    found = await rows(
        connection,
        """
        SELECT slot, epoch, wrapped, touched FROM slot_key
        WHERE space_id = $1::int4 AND slot = ANY ($2::int2[]) ORDER BY slot FOR UPDATE
        """,
        space_id,
        int2s(slots),
    )
    return [SlotKeyRow(*each) for each in found]


async def subject_keys(connection: Connection, space_id: SpaceNumber, slots: Sequence[int]) -> list[WrappedSubjectRow]:
    """The subject keys under these slots, by one scan: an index by slot would not pay for its upkeep."""
    await connection.execute("SET LOCAL enable_seqscan = on")
    await connection.execute("SET LOCAL statement_timeout = 0")
    found = await rows(
        connection,
        """
        SELECT profile_id, slot, key_id, wrapped FROM subject_key
        WHERE space_id = $1::int4 AND slot = ANY ($2::int2[])
        """,
        space_id,
        int2s(slots),
    )
    return [WrappedSubjectRow(*each) for each in found]


async def write_subject_keys(
    connection: Connection, space_id: SpaceNumber, base: int, keys: Sequence[WrappedSubjectRow]
) -> None:
    """Store rewrapped subject keys."""
    await connection.execute(
        """
        UPDATE subject_key s SET wrapped = u.wrapped FROM unnest($2::uuid[], $3::bytea[]) AS u (id, wrapped)
        WHERE s.profile_id = ANY (ARRAY[u.id]) AND s.space_id + 0 = $1::int4 AND s.bucket + 0 = $4::int4
        """,
        [space_id, uuids([key.profile_id for key in keys]), byteas([key.wrapped for key in keys]), base],
    )


async def write_slots(
    connection: Connection, space_id: SpaceNumber, base: int, epoch_: int, slots: Sequence[SlotKeyRow]
) -> None:
    """Store slot keys under their new epoch, not touched."""
    await connection.execute(
        """
        UPDATE slot_key w SET epoch = $2::int4, wrapped = u.wrapped, touched = false
        FROM unnest($3::int2[], $4::bytea[]) AS u (slot, wrapped)
        WHERE w.slot = u.slot AND w.space_id = $1::int4 AND w.bucket = $5::int4
        """,
        [space_id, epoch_, int2s([slot.slot for slot in slots]), byteas([slot.wrapped for slot in slots]), base],
    )


async def set_safe(connection: Connection, space_id: SpaceNumber, epoch_: int, safe_at: Micros) -> None:
    """Record when backups no longer hold keys that erasures before this epoch destroyed."""
    await connection.execute(
        """
        UPDATE erasure SET backup_safe_at = $3::int8
        WHERE space_id = $1::int4 AND epoch < $2::int4 AND backup_safe_at IS NULL
        """,
        [space_id, epoch_, safe_at],
    )


async def spaces_due(connection: Connection, before: Micros) -> list[SpaceNumber]:
    """The spaces with an erasure before a time whose key backups still hold."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT e.space_id FROM erasure e JOIN space_gate g USING (space_id)
        WHERE e.epoch IS NOT NULL AND e.backup_safe_at IS NULL AND e.internal_at < $1::int8
        """,
        before,
    )
    return [SpaceNumber(space_id) for (space_id,) in found]
