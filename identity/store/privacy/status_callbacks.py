"""Requests whose controllers want to be called once they are done: when to look at each, and how calling went."""

from typing import NamedTuple

from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant


async def due(connection: Connection, now: int, limit: int) -> list[tuple[int, bytes]]:
    """(space, request) of those to look at now."""
    found = await rows(
        connection,
        """
        SELECT space_id, request_id FROM privacy_request
        WHERE call_at <= $1::int8 ORDER BY call_at LIMIT $2::int4
        """,
        now,
        limit,
    )
    return [(int(space_id), bytes(id_)) for space_id, id_ in found]


class StatusCallbackRow(NamedTuple):
    """How often calling failed, and when first (microseconds)."""

    failed: int
    first_failed_at: int | None


async def claim(connection: Connection, tenant: Tenant, id_: bytes, now: int, until: int) -> StatusCallbackRow | None:
    """Takes a request until a moment; None where somebody else has it."""
    found = await row(
        connection,
        """
        UPDATE privacy_request SET call_at = $5::int8
        WHERE request_id = $1 AND space_id = $2::int4 AND bucket = $3::int4 AND call_at <= $4::int8
        RETURNING calls_failed, call_failed_at
        """,
        Uuid(id_),
        tenant.id,
        tenant.base,
        now,
        until,
    )
    return None if found is None else StatusCallbackRow(*found)


async def settle(
    connection: Connection, tenant: Tenant, id_: bytes, following: int | None, failed_at: int | None
) -> None:
    """When to look again, None: no more; `failed_at` where calling failed."""
    await connection.execute(
        """
        UPDATE privacy_request
        SET call_at = $4::int8, call_failed_at = coalesce(call_failed_at, $5::int8),
            calls_failed = calls_failed + CASE WHEN $5::int8 IS NULL THEN 0 ELSE 1 END
        WHERE request_id = $1 AND space_id = $2::int4 AND bucket = $3::int4
        """,
        [Uuid(id_), tenant.id, tenant.base, following, failed_at],
    )
