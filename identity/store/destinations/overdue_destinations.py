"""Who is behind: what of the feed a destination has to acknowledge, and how many have not for too long.

A destination has to acknowledge what became of people after it was told of them, and erasures that it
is told of; of the rest of the feed it may never hear.
"""

from collections.abc import Mapping
from typing import NamedTuple

from identity.store.postgres.arrays import int2s, int8s
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.predicates import notice_open
from identity.store.postgres.tenant import Tenant
from identity.values.enums import FeedOperation, NoticeState
from identity.values.stamps import SLOT_BITS


class UnacknowledgedScan(NamedTuple):
    """How far in each lane was looked, and when the first thing there came about (microseconds)."""

    lanes: dict[int, int]
    oldest: int | None


async def oldest_unacknowledged(
    connection: Connection, tenant: Tenant, destination: int, after: Mapping[int, int], limit: int
) -> UnacknowledgedScan:
    """The oldest thing that a destination has to acknowledge of the next `limit` entries of each lane."""
    found = await rows(
        connection,
        f"""
        WITH ahead AS MATERIALIZED (
            SELECT c.lane, c.seq, c.op, c.at >> {SLOT_BITS} AS at, c.profile_id, c.other
            FROM unnest($2::int2[], $3::int8[]) AS a (lane, seq)
            CROSS JOIN LATERAL (
                SELECT * FROM change c
                WHERE c.space_id = $1::int4 AND c.lane = a.lane AND c.seq > a.seq AND c.bucket = $4::int4
                ORDER BY c.seq LIMIT $5::int8
            ) c
        )
        SELECT lane, max(seq), min(at) FILTER (WHERE CASE
            WHEN op = $7::int2 AND other IS NOT NULL THEN EXISTS (
                SELECT FROM erasure_notice n
                WHERE n.erasure_id = ahead.other AND n.destination = $6::int4 AND n.space_id = $1::int4
                  AND n.bucket = $4::int4 AND {notice_open("n.")}
            )
            ELSE EXISTS (
                SELECT FROM profile p
                CROSS JOIN LATERAL (
                    SELECT p.head AS id UNION ALL
                    SELECT m.profile_id FROM profile m
                    WHERE m.head = p.head AND m.head <> m.profile_id AND m.space_id = $1::int4 AND m.bucket = $4::int4
                ) m
                JOIN disclosure d ON d.profile_id = m.id AND d.destination = $6::int4 AND d.space_id = $1::int4
                  AND d.bucket = $4::int4 AND d.first <= ahead.at
                WHERE p.profile_id = ahead.profile_id AND p.space_id = $1::int4 AND p.bucket = $4::int4
            )
        END)
        FROM ahead GROUP BY lane
        """,  # noqa: S608 (a condition)
        tenant.id,
        int2s(list(after)),
        int8s(list(after.values())),
        tenant.base,
        limit,
        destination,
        FeedOperation.ERASE.value,
    )
    moments = [int(at) for _, _, at in found if at is not None]
    return UnacknowledgedScan({int(lane): int(seq) for lane, seq, _ in found}, min(moments, default=None))


class DestinationPositionRow(NamedTuple):
    """A destination with how far it is; places as they are packed.

    `entries` is how many entries all lanes of its space have had.
    """

    space_id: int
    destination: int
    acked: bytes | None
    watched: bytes | None
    behind_at: int | None
    entries: int


async def list_positions(connection: Connection) -> list[DestinationPositionRow]:
    """All destinations of all spaces."""
    found = await rows(
        connection,
        """
        SELECT d.space_id, d.id, v.acked, v.watched, v.behind_at,
               coalesce((SELECT sum(h.seq) FROM lane_head h WHERE h.space_id = d.space_id), 0)::int8
        FROM destination d JOIN delivery v ON v.destination = d.id WHERE d.deleted_at IS NULL ORDER BY d.id
        """,
    )
    return [DestinationPositionRow(*each) for each in found]


class OverdueCounts(NamedTuple):
    """How many destinations are behind for too long or are not sent to any more, and erasures overdue there."""

    overdue: int = 0
    dead: int = 0
    erasures: int = 0


async def count(connection: Connection, before: int) -> OverdueCounts:
    """How many there are; `before` is the moment since which nobody should be behind."""
    found = await row(
        connection,
        f"""
        SELECT count(*) FILTER (WHERE v.behind_at < $1::int8), count(v.dead_at),
               (SELECT count(*) FROM erasure_notice WHERE {notice_open()} AND state = $2::int2)
        FROM destination d JOIN delivery v ON v.destination = d.id WHERE d.deleted_at IS NULL
        """,  # noqa: S608 (a condition)
        before,
        NoticeState.OVERDUE.value,
    )
    return OverdueCounts() if found is None else OverdueCounts(*(int(each) for each in found))
