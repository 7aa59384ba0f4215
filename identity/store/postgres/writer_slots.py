"""Writer slots: leases on the low byte of stamps, so that no two writers give the same stamp.

A lease is a row with an end. Every transaction of a writer holds a share of its row, so that it
cannot be taken over under it, and no stamp lies past the end; the next holder starts after it.
"""

from typing import NamedTuple

from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row
from identity.values.errors import Unavailable

SLOTS = 256
LEASE_MICROS = 30_000_000  # microseconds
_NONE_FREE = "All 256 writer slots are taken; stop some workers, or wait half a minute after a crash."

HOLD = "SELECT until FROM writer_slot WHERE slot = $1::int2 AND holder = $2 FOR KEY SHARE"


class WriterLease(NamedTuple):
    """A slot; the holder's stamps lie after `floor` and before `until` (microseconds)."""

    slot: int
    holder: bytes
    floor: int
    until: int


async def take(connection: Connection, holder: bytes, now: int) -> WriterLease:
    """Takes a slot whose lease has ended, or a new one. Unavailable if all are in use."""
    async with connection.transaction():
        free = await row(
            connection,
            """
            SELECT slot, until FROM writer_slot WHERE until < $1::int8
            ORDER BY until LIMIT 1 FOR UPDATE SKIP LOCKED
            """,
            now,
        )
        if free is None:
            # Two that add the same slot: one fails on its key, and is taken again by the caller.
            free = await row(
                connection,
                """
                INSERT INTO writer_slot (slot, holder, until)
                SELECT coalesce(max(slot) + 1, 0), $1, 0 FROM writer_slot HAVING coalesce(max(slot) + 1, 0) < $2::int4
                RETURNING slot, until
                """,
                Uuid(holder),
                SLOTS,
            )
        if free is None:
            raise Unavailable(_NONE_FREE)
        slot, ended = free
        until = max(now, ended) + LEASE_MICROS
        await connection.execute(
            "UPDATE writer_slot SET holder = $2, until = $3::int8 WHERE slot = $1::int2", [slot, Uuid(holder), until]
        )
    return WriterLease(slot, holder, max(now, ended), until)


async def renew(connection: Connection, lease: WriterLease, until: int) -> bool:
    """Moves the end of a lease; False if somebody else holds the slot by now."""
    found = await row(
        connection,
        "UPDATE writer_slot SET until = $3::int8 WHERE slot = $1::int2 AND holder = $2 RETURNING until",
        lease.slot,
        Uuid(lease.holder),
        until,
    )
    return found is not None


async def release(connection: Connection, lease: WriterLease, last: int) -> None:
    """Ends a lease early, after the last microsecond a stamp was given for."""
    await connection.execute(
        "UPDATE writer_slot SET until = $3::int8 WHERE slot = $1::int2 AND holder = $2",
        [lease.slot, Uuid(lease.holder), last + 1],
    )
