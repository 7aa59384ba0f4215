"""Writer slots: leases on the low byte of stamps, so that no two writers give the same stamp.

Every transaction of a writer locks its slot, so no other writer takes the slot during a transaction. No stamp is
past the end of the lease, and the stamps of the next holder start after that end.
"""

from typing import NamedTuple

from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row
from identity.store.postgres.lease import LeasedRows
from identity.values.errors import Unavailable
from identity.values.stamps import SLOTS, Micros

LEASE_MICROS = 30_000_000
_NONE_FREE = f"All {SLOTS} writer slots are taken; stop some workers, or wait half a minute after a crash."

_SLOTS = LeasedRows("writer_slot", (("slot", "int2"),), end="until", fence=("holder", "uuid"))
LOCK_LEASE = _SLOTS.lock


class WriterLease(NamedTuple):
    """A slot; the stamps of the holder are after `floor` and before `until` (microseconds)."""

    slot: int
    holder: bytes
    floor: Micros
    until: Micros


async def require_free(connection: Connection, now: Micros) -> None:
    """Unavailable where every slot is leased."""
    found = await row(connection, "SELECT count(*) FROM writer_slot WHERE until > $1::int8", now)
    if found is not None and found[0] >= SLOTS:
        raise Unavailable(_NONE_FREE)


async def take(connection: Connection, holder: bytes, now: Micros) -> WriterLease:
    """Take a slot whose lease has ended, or a new one. Unavailable where all are in use."""
    until = Micros(now + LEASE_MICROS)
    async with connection.transaction():
        free = await _SLOTS.take_next(
            connection, now, until, Uuid(holder), returning="t.slot", order="until", changes=", holder = $3::uuid"
        )
        if free is None:
            # Of two writers that add the same slot one fails on the primary key; its caller tries again.
            free = await row(
                connection,
                """
                INSERT INTO writer_slot (slot, holder, until)
                SELECT coalesce(max(slot) + 1, 0), $1, $3::int8 FROM writer_slot
                HAVING coalesce(max(slot) + 1, 0) < $2::int4
                RETURNING slot
                """,
                Uuid(holder),
                SLOTS,
                until,
            )
        if free is None:
            raise Unavailable(_NONE_FREE)
    return WriterLease(free[0], holder, Micros(now), until)


async def renew(connection: Connection, lease: WriterLease, until: Micros) -> bool:
    """Move the end of a lease; False where another writer took the slot."""
    return await _SLOTS.write(connection, [lease.slot], Uuid(lease.holder), "until = $3::int8", until)


async def release(connection: Connection, lease: WriterLease, last: Micros) -> None:
    """End a lease early, after the last microsecond that got a stamp."""
    await _SLOTS.write(connection, [lease.slot], Uuid(lease.holder), "until = $3::int8", last + 1)
