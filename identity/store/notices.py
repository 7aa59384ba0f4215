"""Whom an erasure has to be told to, what they said, and what is kept aside until they all know."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.arrays import Uuid, int4s, uuids
from identity.store.database import Connection, row, rows
from identity.store.tenant import Tenant


class NoticeRow(NamedTuple):
    """What a destination has said of an erasure."""

    erasure_id: bytes
    destination: bytes
    name: str
    state: int
    at: int


async def of(connection: Connection, tenant: Tenant, erasures_: Sequence[bytes]) -> list[NoticeRow]:
    """What destinations have said of erasures."""
    found = await rows(
        connection,
        """
        SELECT n.erasure_id, d.public_id, d.name, n.state, n.at FROM erasure_notice n
        JOIN destination d ON d.id = n.destination
        WHERE n.erasure_id = ANY ($2::uuid[]) AND n.space_id = $1::int4 AND n.bucket = $3::int4 ORDER BY d.id
        """,
        tenant.id,
        uuids(erasures_),
        tenant.base,
    )
    return [NoticeRow(*each) for each in found]


async def add(connection: Connection, tenant: Tenant, id_: bytes, destinations: Sequence[int], at: int) -> None:
    """Destinations that have to be told of an erasure."""
    await connection.execute(
        """
        INSERT INTO erasure_notice (erasure_id, destination, space_id, bucket, at)
        SELECT $1, u.id, $2::int4, $3::int4, $4::int8 FROM unnest($5::int4[]) AS u (id)
        """,
        [Uuid(id_), tenant.id, tenant.base, at, int4s(destinations)],
    )


async def settled(connection: Connection, now: int, due_before: int, limit: int) -> list[tuple[int, bytes]]:
    """(space, erasure) of what keeps something aside that nobody waits for any more."""
    found = await rows(
        connection,
        """
        SELECT e.space_id, e.erasure_id FROM erasure e
        WHERE e.aside IS NOT NULL AND (coalesce(e.due_at, e.received_at) < $2::int8 OR NOT EXISTS (
            SELECT FROM erasure_notice n WHERE n.erasure_id = e.erasure_id AND n.space_id = e.space_id
              AND n.bucket = e.bucket AND n.state NOT IN (3, 4, 5)
        )) AND e.received_at < $1::int8 LIMIT $3::int4
        """,
        now,
        due_before,
        limit,
    )
    return [(int(space), bytes(id_)) for space, id_ in found]


async def close(connection: Connection, tenant: Tenant, id_: bytes, at: int) -> bool:
    """Nobody has to be told of an erasure any more; False where somebody else said so."""
    found = await row(
        connection,
        """
        UPDATE erasure SET aside = NULL, closed_at = coalesce(closed_at, $4::int8)
        WHERE erasure_id = $1 AND space_id = $2::int4 AND bucket = $3::int4 AND aside IS NOT NULL RETURNING erasure_id
        """,
        Uuid(id_),
        tenant.id,
        tenant.base,
        at,
    )
    return found is not None
