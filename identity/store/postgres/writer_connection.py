"""A connection that may write: it leases a writer slot and has the clock of that slot.

Ingest and corrections both take their stamps from such a clock, so no two writes in a database have the same stamp.
One task uses a connection at a time.
"""

import time
from typing import Final

from identity.store.postgres import writer_slots
from identity.store.postgres.database import Database, translated
from identity.store.postgres.pipeline import PipelineConnection, Statement, rollback, run
from identity.values.errors import OnefoldError
from identity.values.ids import new_id
from identity.values.stamps import SLOT_BITS, Clock, Micros, Stamp, first_stamp

MARGIN: Final = 1_000_000
"""How many microseconds the stamps of one transaction may take."""
RENEW_BEFORE = writer_slots.LEASE_MICROS * 2 // 3
# Seconds that plans are kept for, at first and at last.
_FIRST, _LAST = 1.0, 60.0


class WriterConnection:
    """One connection with its lease; `lease` and `clock` are valid once it is `ready`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: PipelineConnection | None = None
        self.lease: writer_slots.WriterLease | None = None
        self.clock = Clock(0)
        self._ahead = 0

    async def ready(self) -> PipelineConnection:
        """The connection, with a lease that does not end soon."""
        if self._connection is None or self._connection.closed:
            self._connection = await self._database.writer()
            self.lease = None
        await _plan_anew(self._connection)
        now = Micros(max(self.clock.now(), self._ahead))
        lease = self.lease
        if lease is not None and self.clock.until - now > RENEW_BEFORE:
            return self._connection
        with translated():
            if lease is not None:
                until = Micros(max(now, self.clock.until - writer_slots.LEASE_MICROS) + writer_slots.LEASE_MICROS)
                if await writer_slots.renew(self._connection, lease, until):
                    self.clock.extend(until)
                    return self._connection
            lease = self.lease = await writer_slots.take(self._connection, new_id(), now)
        self.clock = Clock(lease.slot, lease.until)
        self.clock.next(first_stamp(lease.floor))
        return self._connection

    @property
    def lease_seconds(self) -> float:
        """How long the lease lasts; 0 without a lease."""
        return 0.0 if self.lease is None else max(0.0, (self.clock.until - self.clock.now()) / 1_000_000)

    def covers(self, stamp: Stamp) -> bool:
        """Whether the lease lasts for the stamps of a transaction that follow this stamp; if not, the next one does.

        The stamp of a host whose clock is ahead may lie beyond the end of the lease.
        """
        micros = stamp >> SLOT_BITS
        if micros + MARGIN < self.clock.until:
            return True
        self._ahead = micros
        return False

    def forget_lease(self) -> None:
        """Forget the lease: another writer holds the slot."""
        self.lease = None

    async def rollback(self) -> None:
        """Roll back the transaction; a connection that cannot is closed."""
        try:
            if self._connection is not None:
                with translated():
                    await rollback(self._connection)
        except OnefoldError:
            connection, self._connection = self._connection, None
            self.lease = None
            if connection is not None:
                await connection.close()

    async def close(self) -> None:
        """Release the slot, if this writer still holds one, and give the connection back.

        The connection is closed where the slot cannot be released.
        """
        connection, lease = self._connection, self.lease
        self._connection = self.lease = None
        if connection is None:
            return
        try:
            if lease is not None and not connection.closed:
                with translated():
                    await writer_slots.release(connection, lease, max(self.clock.last, self.clock.now()))
        except BaseException:
            await connection.close()
            raise
        await self._database.give_back(connection)


async def _plan_anew(connection: PipelineConnection) -> None:
    """Drop the plans of prepared statements, less and less often.

    A statement is planned once. A plan for a nearly empty table scans all of it after it has grown.
    """
    if time.monotonic() < connection.planned_until:
        return
    if connection.plans_last:
        with translated():
            await run(connection, Statement("DISCARD PLANS"))
    connection.plans_last = min(2 * connection.plans_last, _LAST) or _FIRST
    connection.planned_until = time.monotonic() + connection.plans_last
