"""The position of each destination in the feed: what it acknowledged, and what was sent to its callback.

A process leases the sending to a destination, and every write names the lease. Of two processes that sent the same
page only one moves the position.
"""

from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.lease import LeasedRows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import DestinationId, DestinationNumber, SpaceNumber
from identity.values.stamps import Micros

_COLUMNS: LiteralString = "acked, acked_at, pushed, pushed_at, attempts, first_failed_at, next_at, dead_at, watched"

_SENDING = LeasedRows(
    "delivery",
    (("destination", "int4"), ("space_id", "int4"), ("bucket", "int4")),
    end="next_at",
    fence=("next_at", "int8"),
)


class DeliveryRow(NamedTuple):
    """Packed positions, times in microseconds; `dead_at`: since when nothing is sent any more.

    Up to `watched` nothing is left to acknowledge.
    """

    acked: bytes | None = None
    acked_at: Micros | None = None
    pushed: bytes | None = None
    pushed_at: Micros | None = None
    attempts: int = 0
    first_failed_at: Micros | None = None
    next_at: Micros = Micros(0)
    dead_at: Micros | None = None
    watched: bytes | None = None


async def get(connection: Connection, tenant: Tenant, destination: DestinationNumber) -> DeliveryRow:
    """The delivery of a destination."""
    found = await row(
        connection,
        f"""
        SELECT {_COLUMNS} FROM delivery
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4
        """,  # noqa: S608 (names of columns)
        tenant.id,
        destination,
        tenant.base,
    )
    return DeliveryRow() if found is None else DeliveryRow(*found)


async def get_locked(connection: Connection, tenant: Tenant, destination: DestinationNumber) -> DeliveryRow:
    """The delivery of a destination, locked to the end of the transaction."""
    found = await row(
        connection,
        f"""
        SELECT {_COLUMNS} FROM delivery
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4 FOR NO KEY UPDATE
        """,  # noqa: S608 (names of columns)
        tenant.id,
        destination,
        tenant.base,
    )
    return DeliveryRow() if found is None else DeliveryRow(*found)


async def acknowledge(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, packed_position: bytes, at: Micros
) -> None:
    """Record that the destination applied everything up to a position; the caller holds the lock."""
    await connection.execute(
        """
        UPDATE delivery SET acked = $4, acked_at = $5::int8
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4
        """,
        [tenant.id, destination, tenant.base, packed_position, at],
    )


async def set_watched(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, packed_position: bytes, behind: int | None
) -> None:
    """Record up to where nothing is left to acknowledge, and since when the destination is behind."""
    await connection.execute(
        """
        UPDATE delivery SET watched = $4, behind_at = $5::int8
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4
          AND (watched, behind_at) IS DISTINCT FROM ($4, $5::int8)
        """,
        [tenant.id, destination, tenant.base, packed_position, behind],
    )


async def claim(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, now: Micros, until: Micros
) -> DeliveryRow | None:
    """Lease the sending to a destination until a moment; None where it is not due or another process sends.

    `next_at` of the row is the fence that later writes name.
    """
    key = (destination, tenant.id, tenant.base)
    found = await _SENDING.take(connection, key, now, until, returning=_COLUMNS, where="dead_at IS NULL")
    return None if found is None else DeliveryRow(*found)


async def release(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, following: Micros, claimed: int
) -> None:
    """End the lease after nothing was sent; `following` is when to look again."""
    key = (destination, tenant.id, tenant.base)
    await _SENDING.write(connection, key, claimed, "next_at = $5::int8", following)


async def skip_to(
    connection: Connection,
    tenant: Tenant,
    destination: DestinationNumber,
    packed_position: bytes,
    at: Micros,
    claimed: int,
) -> bool:
    """Record that there was nothing to send up to a position; False where the lease is lost."""
    key = (destination, tenant.id, tenant.base)
    return await _SENDING.write(connection, key, claimed, "pushed = $5, next_at = $6::int8", packed_position, at)


async def record_sent(
    connection: Connection,
    tenant: Tenant,
    destination: DestinationNumber,
    packed_position: bytes,
    at: Micros,
    claimed: int,
) -> bool:
    """Record that the destination accepted a page; False where the lease is lost."""
    changes: LiteralString = (
        "pushed = $5, pushed_at = $6::int8, attempts = 0, first_failed_at = NULL, next_at = $6::int8"
    )
    return await _SENDING.write(
        connection, (destination, tenant.id, tenant.base), claimed, changes, packed_position, at
    )


async def record_failure(
    connection: Connection,
    tenant: Tenant,
    destination: DestinationNumber,
    at: Micros,
    following: Micros | None,
    claimed: int,
) -> bool:
    """Record that a page failed and when to try again (None: never); False where the lease is lost."""
    changes: LiteralString = """
        attempts = attempts + 1, first_failed_at = coalesce(first_failed_at, $5::int8),
        next_at = coalesce($6::int8, next_at), dead_at = CASE WHEN $6::int8 IS NULL THEN $5::int8 END
    """
    return await _SENDING.write(connection, (destination, tenant.id, tenant.base), claimed, changes, at, following)


async def revive(connection: Connection, tenant: Tenant, destination: DestinationNumber) -> None:
    """Send to a destination again at once, from where sending stopped."""
    await connection.execute(
        """
        UPDATE delivery SET attempts = 0, first_failed_at = NULL, next_at = 0, dead_at = NULL
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4
        """,
        [tenant.id, destination, tenant.base],
    )


class DueDeliveryRow(NamedTuple):
    """A destination that is due, with its version.

    `purposes` is the version of the purposes in force, `entries` the number of entries that all lanes have had.
    """

    space_id: SpaceNumber
    public_id: DestinationId
    version: int
    purposes: int
    entries: int
    pushed: bytes | None


async def due(connection: Connection, now: Micros) -> list[DueDeliveryRow]:
    """The destinations that are due, longest waiting first."""
    found = await rows(
        connection,
        """
        SELECT d.space_id, d.public_id, d.version,
               coalesce((SELECT max(p.version) FROM purposes p WHERE p.space_id = d.space_id), 0),
               coalesce((SELECT sum(h.seq) FROM lane_head h WHERE h.space_id = d.space_id), 0)::int8, v.pushed
        FROM delivery v JOIN destination d ON d.id = v.destination
        WHERE v.next_at <= $1::int8 AND v.dead_at IS NULL AND d.deleted_at IS NULL ORDER BY v.next_at
        """,
        now,
    )
    return [DueDeliveryRow(*each) for each in found]


async def accept_message(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, key: bytes, at: Micros
) -> bool:
    """Record a signed message; False where it was recorded before."""
    found = await row(
        connection,
        """
        INSERT INTO callback (key, destination, space_id, bucket, at)
        VALUES ($4, $2::int4, $1::int4, $3::int4, $5::int8) ON CONFLICT DO NOTHING RETURNING at
        """,
        tenant.id,
        destination,
        tenant.base,
        Uuid(key),
        at,
    )
    return found is not None


async def forget_messages(connection: Connection, before: Micros) -> None:
    """Delete messages from before a time: they are too old to be accepted again."""
    await connection.execute("DELETE FROM callback WHERE at < $1::int8", [before])
