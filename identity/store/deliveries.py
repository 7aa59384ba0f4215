"""How far each destination is: what it acknowledged, and what was sent to its callback.

Both only ever move forward, and whoever moves one says from where, so that two processes that send
the same page move it once.
"""

from typing import LiteralString, NamedTuple

from identity.store.arrays import Uuid
from identity.store.database import Connection, row, rows
from identity.store.tenant import Tenant

_COLUMNS: LiteralString = "acked, acked_at, pushed, pushed_at, attempts, first_failed_at, next_at, dead_at"


class DeliveryRow(NamedTuple):
    """Places as they are packed, times in microseconds; `dead_at`: since when nothing is sent any more."""

    acked: bytes | None = None
    acked_at: int | None = None
    pushed: bytes | None = None
    pushed_at: int | None = None
    attempts: int = 0
    first_failed_at: int | None = None
    next_at: int = 0
    dead_at: int | None = None


async def get(connection: Connection, tenant: Tenant, destination: int) -> DeliveryRow:
    """How far a destination is."""
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


async def lock(connection: Connection, tenant: Tenant, destination: int) -> DeliveryRow:
    """The same, held to the end of the transaction."""
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


async def acknowledge(connection: Connection, tenant: Tenant, destination: int, place: bytes, at: int) -> None:
    """It applied everything up to a place; the row is held."""
    await connection.execute(
        """
        UPDATE delivery SET acked = $4, acked_at = $5::int8
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4
        """,
        [tenant.id, destination, tenant.base, place, at],
    )


async def claim(connection: Connection, tenant: Tenant, destination: int, now: int, until: int) -> DeliveryRow | None:
    """Takes the sending to a destination until a moment; None where it is not due or somebody else has it."""
    found = await row(
        connection,
        f"""
        UPDATE delivery SET next_at = $5::int8
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4 AND next_at <= $4::int8
          AND dead_at IS NULL
        RETURNING {_COLUMNS}
        """,  # noqa: S608 (names of columns)
        tenant.id,
        destination,
        tenant.base,
        now,
        until,
    )
    return None if found is None else DeliveryRow(*found)


async def sent(connection: Connection, tenant: Tenant, destination: int, place: bytes, at: int, claimed: int) -> bool:
    """A page went out; False where the claim (the moment it was for) is not ours any more."""
    found = await row(
        connection,
        """
        UPDATE delivery
        SET pushed = $4, pushed_at = $5::int8, attempts = 0, first_failed_at = NULL, next_at = $5::int8
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4 AND next_at = $6::int8
        RETURNING destination
        """,
        tenant.id,
        destination,
        tenant.base,
        place,
        at,
        claimed,
    )
    return found is not None


async def failed(
    connection: Connection, tenant: Tenant, destination: int, at: int, following: int | None, claimed: int
) -> None:
    """A page was not taken: when to try again, None: no more."""
    await connection.execute(
        """
        UPDATE delivery
        SET attempts = attempts + 1, first_failed_at = coalesce(first_failed_at, $4::int8),
            next_at = coalesce($5::int8, next_at), dead_at = CASE WHEN $5::int8 IS NULL THEN $4::int8 END
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4 AND next_at = $6::int8
        """,
        [tenant.id, destination, tenant.base, at, following, claimed],
    )


async def revive(connection: Connection, tenant: Tenant, destination: int) -> None:
    """Has it sent to again at once, from where it stopped."""
    await connection.execute(
        """
        UPDATE delivery SET attempts = 0, first_failed_at = NULL, next_at = 0, dead_at = NULL
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4
        """,
        [tenant.id, destination, tenant.base],
    )


async def due(connection: Connection, now: int, limit: int) -> list[tuple[int, bytes]]:
    """(space, destination by its public id) of those that may be sent to now."""
    found = await rows(
        connection,
        """
        SELECT d.space_id, d.public_id FROM delivery v JOIN destination d ON d.id = v.destination
        WHERE v.next_at <= $1::int8 AND v.dead_at IS NULL AND d.deleted_at IS NULL ORDER BY v.next_at LIMIT $2::int4
        """,
        now,
        limit,
    )
    return [(int(space_id), bytes(public_id)) for space_id, public_id in found]


async def take_message(connection: Connection, tenant: Tenant, destination: int, key: bytes, at: int) -> bool:
    """Remembers a signed message; False where it was taken before."""
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


async def forget_messages(connection: Connection, before: int) -> None:
    """Forgets messages from before a moment: they are too old to be taken again."""
    await connection.execute("DELETE FROM callback WHERE at < $1::int8", [before])
