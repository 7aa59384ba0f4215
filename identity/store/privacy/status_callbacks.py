"""Status callbacks of requests: when each is due, and how calling went."""

from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.lease import LeasedRows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import RequestId, SpaceNumber
from identity.values.stamps import Micros

_CALLBACKS = LeasedRows(
    "privacy_request",
    (("request_id", "uuid"), ("space_id", "int4"), ("bucket", "int4")),
    end="call_at",
    fence=("call_at", "int8"),
)


async def due(connection: Connection, now: Micros, limit: int) -> list[tuple[SpaceNumber, RequestId]]:
    """(space, request) of callbacks that are due."""
    found = await rows(
        connection,
        """
        SELECT space_id, request_id FROM privacy_request
        WHERE call_at <= $1::int8 ORDER BY call_at LIMIT $2::int4
        """,
        now,
        limit,
    )
    return [(SpaceNumber(space_id), RequestId(bytes(id_))) for space_id, id_ in found]


class StatusCallbackRow(NamedTuple):
    """A leased status callback: how often it failed, since when, and the end of the lease (microseconds)."""

    failed: int
    first_failed_at: Micros | None
    until: Micros


async def claim(
    connection: Connection, tenant: Tenant, id_: RequestId, now: Micros, until: Micros
) -> StatusCallbackRow | None:
    """Lease the callback of a request until a moment; None where another process has it."""
    key = (Uuid(id_), tenant.id, tenant.base)
    found = await _CALLBACKS.take(connection, key, now, until, returning="calls_failed, call_failed_at, call_at")
    return None if found is None else StatusCallbackRow(*found)


async def settle(
    connection: Connection,
    tenant: Tenant,
    id_: RequestId,
    following: Micros | None,
    failed_at: Micros | None,
    claimed: int,
) -> bool:
    """End the lease: when to look again (None: never), and when the call failed; False where the lease is lost."""
    changes: LiteralString = """
        call_at = $5::int8, call_failed_at = coalesce(call_failed_at, $6::int8),
        calls_failed = calls_failed + CASE WHEN $6::int8 IS NULL THEN 0 ELSE 1 END
    """
    key = (Uuid(id_), tenant.id, tenant.base)
    return await _CALLBACKS.write(connection, key, claimed, changes, following, failed_at)
