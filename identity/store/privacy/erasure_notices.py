"""Notices of erasures to destinations, their acknowledgements, and the data kept for them."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import Uuid, int2s, int4s, int8s, uuids
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.predicates import notice_open
from identity.store.postgres.tenant import Tenant
from identity.values.enums import ErasureState, FeedOperation, NoticeState
from identity.values.ids import DestinationId, DestinationNumber, ErasureId, SpaceNumber
from identity.values.stamps import Micros


class NoticeRow(NamedTuple):
    """The answer of a destination to an erasure."""

    erasure_id: ErasureId
    destination: DestinationId
    name: str
    state: int
    at: Micros
    ack: bytes | None
    number: DestinationNumber


class NamedDestinationRow(NamedTuple):
    """A destination by its number, public id and name."""

    number: DestinationNumber
    id: DestinationId
    name: str


async def destinations(
    connection: Connection, tenant: Tenant, numbers: Sequence[DestinationNumber]
) -> list[NamedDestinationRow]:
    """The destinations with these numbers, ended ones included, in the order of their numbers."""
    found = await rows(
        connection,
        """
        SELECT d.id, d.public_id, d.name FROM destination d
        WHERE d.id = ANY ($2::int4[]) AND d.space_id = $1::int4 ORDER BY d.id
        """,
        tenant.id,
        int4s(numbers),
    )
    return [NamedDestinationRow(*each) for each in found]


async def by_erasures(connection: Connection, tenant: Tenant, erasures_: Sequence[ErasureId]) -> list[NoticeRow]:
    """The notices of these erasures."""
    found = await rows(
        connection,
        """
        SELECT n.erasure_id, d.public_id, d.name, n.state, n.at, n.ack, n.destination FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM erasure_notice t
            WHERE t.erasure_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) n
        CROSS JOIN LATERAL (SELECT t.* FROM destination t WHERE t.id = n.destination OFFSET 0) d ORDER BY d.id
        """,
        tenant.id,
        uuids(erasures_),
        tenant.base,
    )
    return [NoticeRow(*each) for each in found]


async def add(
    connection: Connection, tenant: Tenant, id_: ErasureId, informed: Sequence[DestinationNumber], at: Micros
) -> None:
    """Add notices of an erasure to the informed destinations; one that has ended has to be handled by hand."""
    await connection.execute(
        """
        INSERT INTO erasure_notice (erasure_id, destination, space_id, bucket, state, at)
        SELECT $1, d.id, $2::int4, $3::int4, CASE WHEN d.deleted_at IS NULL THEN $6::int2 ELSE $7::int2 END, $4::int8
        FROM unnest($5::int4[]) AS u (id)
        CROSS JOIN LATERAL (SELECT t.* FROM destination t WHERE t.id = u.id AND t.space_id + 0 = $2::int4 OFFSET 0) d
        """,
        [
            Uuid(id_),
            tenant.id,
            tenant.base,
            at,
            int4s(informed),
            NoticeState.QUEUED.value,
            NoticeState.UNSUPPORTED_MANUAL.value,
        ],
    )


async def addressed_to(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, erasures_: Sequence[ErasureId]
) -> dict[ErasureId, bytes | None]:
    """The erasures among these that a destination has to apply, each with the sealed data kept for it."""
    found = await rows(
        connection,
        """
        SELECT n.erasure_id, e.aside FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.erasure_id FROM erasure_notice t
            WHERE t.erasure_id = k.id AND t.destination = $4::int4 AND t.space_id = $1::int4 AND t.bucket = $3::int4
            OFFSET 0
        ) n
        CROSS JOIN LATERAL (
            SELECT t.aside FROM erasure t
            WHERE t.erasure_id = n.erasure_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) e
        """,
        tenant.id,
        uuids(erasures_),
        tenant.base,
        destination,
    )
    return {ErasureId(bytes(id_)): None if aside is None else bytes(aside) for id_, aside in found}


async def count_unacknowledged(connection: Connection, tenant: Tenant, destination: DestinationNumber) -> int:
    """How many erasures a destination has not acknowledged."""
    found = await row(
        connection,
        f"""
        SELECT count(*) FROM erasure_notice
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4 AND {notice_open()}
        """,  # noqa: S608 (a condition)
        tenant.id,
        destination,
        tenant.base,
    )
    return 0 if found is None else int(found[0])


async def mark_unreachable(connection: Connection, tenant: Tenant, destination: DestinationNumber, at: Micros) -> None:
    """Mark the notices of a destination that has ended: they have to be handled by hand."""
    await connection.execute(
        f"""
        UPDATE erasure_notice SET state = $5::int2, at = $4::int8
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4 AND {notice_open()}
        """,  # noqa: S608 (a condition)
        [tenant.id, destination, tenant.base, at, NoticeState.UNSUPPORTED_MANUAL.value],
    )


async def mark_acknowledged(
    connection: Connection,
    tenant: Tenant,
    destination: DestinationNumber,
    lane_ranges: Sequence[tuple[int, int, int]],
    since: Micros | None,
    at: Micros,
    ack: bytes,
) -> int:
    """Mark erasures as done that a destination acknowledged, by ranges of its lanes: (lane, after, upto).

    Includes all from before `since`, when it began to read all profiles anew. Returns how many.
    """
    return await _set_state(connection, tenant, destination, lane_ranges, since, at, NoticeState.DONE.value, ack)


async def mark_accepted(
    connection: Connection,
    tenant: Tenant,
    destination: DestinationNumber,
    lane_ranges: Sequence[tuple[int, int, int]],
    since: Micros | None,
    at: Micros,
) -> int:
    """Mark erasures whose message a destination accepted, which does not confirm that it applied them."""
    return await _set_state(connection, tenant, destination, lane_ranges, since, at, NoticeState.ACCEPTED.value, None)


async def _set_state(
    connection: Connection,
    tenant: Tenant,
    destination: DestinationNumber,
    lane_ranges: Sequence[tuple[int, int, int]],
    since: Micros | None,
    at: Micros,
    state: int,
    ack: bytes | None,
) -> int:
    found = await rows(
        connection,
        f"""
        UPDATE erasure_notice n SET state = $10::int2, at = $6::int8, ack = $7
        WHERE n.destination = $2::int4 AND n.space_id = $1::int4 AND n.bucket = $3::int4
          AND {notice_open("n.")} AND n.state <> $10::int2
          AND (EXISTS (
            SELECT FROM erasure e
            WHERE e.erasure_id = n.erasure_id AND e.space_id = $1::int4 AND e.bucket = $3::int4
              AND e.internal_at < $8::int8
          ) OR n.erasure_id IN (
            SELECT c.other FROM unnest($4::int2[], $5::int8[], $9::int8[]) AS u (lane, after, upto)
            CROSS JOIN LATERAL (
                SELECT t.op, t.other FROM change t
                WHERE t.space_id = $1::int4 AND t.lane = u.lane AND t.bucket = $3::int4
                  AND t.seq > u.after AND t.seq <= u.upto OFFSET 0
            ) c
            WHERE c.op = $11::int2 AND c.other IS NOT NULL
        )) RETURNING n.erasure_id
        """,  # noqa: S608 (a condition)
        tenant.id,
        destination,
        tenant.base,
        int2s([lane for lane, _, _ in lane_ranges]),
        int8s([after for _, after, _ in lane_ranges]),
        at,
        ack,
        since,
        int8s([upto for _, _, upto in lane_ranges]),
        state,
        FeedOperation.ERASE.value,
    )
    return len(found)


async def mark_past_deadline(connection: Connection, now: Micros, grace: Micros, limit: int) -> int:
    """Mark notices past their deadline as overdue; returns how many.

    `grace` is the time for erasures without a legal deadline.
    """
    found = await rows(
        connection,
        f"""
        UPDATE erasure_notice n SET state = $4::int2, at = $1::int8
        WHERE (n.erasure_id, n.destination) IN (
            SELECT n.erasure_id, n.destination FROM erasure_notice n
            JOIN erasure e ON e.erasure_id = n.erasure_id AND e.space_id = n.space_id AND e.bucket = n.bucket
            WHERE {notice_open("n.")} AND n.state < $4::int2
              AND coalesce(e.due_at, e.received_at + $2::int8) < $1::int8 LIMIT $3::int4
        ) AND {notice_open("n.")} AND n.state < $4::int2 RETURNING n.erasure_id
        """,  # noqa: S608 (a condition)
        now,
        grace,
        limit,
        NoticeState.OVERDUE.value,
    )
    return len(found)


async def mark_overdue(connection: Connection, tenant: Tenant, destination: DestinationNumber, at: Micros) -> int:
    """Mark the notices that a destination was not sent for too long as overdue; returns how many."""
    found = await rows(
        connection,
        f"""
        UPDATE erasure_notice SET state = $5::int2, at = $4::int8
        WHERE destination = $2::int4 AND space_id = $1::int4 AND bucket = $3::int4 AND {notice_open()}
          AND state < $5::int2
        RETURNING erasure_id
        """,  # noqa: S608 (a condition)
        tenant.id,
        destination,
        tenant.base,
        at,
        NoticeState.OVERDUE.value,
    )
    return len(found)


async def list_settled(
    connection: Connection, now: Micros, due_before: Micros, limit: int
) -> list[tuple[SpaceNumber, ErasureId]]:
    """(space, erasure) where no destination is waited for any more and data is still kept."""
    found = await rows(
        connection,
        f"""
        SELECT e.space_id, e.erasure_id FROM erasure e
        WHERE (e.aside IS NOT NULL OR e.state = $4::int2 AND e.closed_at IS NULL)
          AND (coalesce(e.due_at, e.received_at) < $2::int8 OR NOT EXISTS (
            SELECT FROM erasure_notice n WHERE n.erasure_id = e.erasure_id AND n.space_id = e.space_id
              AND n.bucket = e.bucket AND {notice_open("n.")}
        )) AND e.received_at < $1::int8 LIMIT $3::int4
        """,  # noqa: S608 (a condition)
        now,
        due_before,
        limit,
        ErasureState.FINISHED.value,
    )
    return [(SpaceNumber(space), ErasureId(bytes(id_))) for space, id_ in found]


async def close(connection: Connection, tenant: Tenant, id_: ErasureId, at: Micros) -> bool:
    """Delete the data kept for the notices of an erasure; False where another process did."""
    found = await row(
        connection,
        """
        UPDATE erasure SET aside = NULL, closed_at = coalesce(closed_at, $4::int8)
        WHERE erasure_id = $1 AND space_id = $2::int4 AND bucket = $3::int4
          AND (aside IS NOT NULL OR closed_at IS NULL) RETURNING erasure_id
        """,
        Uuid(id_),
        tenant.id,
        tenant.base,
        at,
    )
    return found is not None
