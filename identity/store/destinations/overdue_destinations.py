"""Finds what a destination still has to acknowledge, and counts destinations that are too late.

A destination has to acknowledge changes of profiles that were disclosed to it, and erasures addressed to it; it need
not see the rest of the feed.
"""

import time
from collections.abc import Mapping
from typing import NamedTuple

from identity.store.postgres.arrays import int2s, int8s
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.predicates import notice_open
from identity.store.postgres.tenant import Tenant
from identity.values.enums import FeedOperation, NoticeState
from identity.values.ids import DestinationNumber, SpaceNumber
from identity.values.stamps import SLOT_BITS, Micros


class UnacknowledgedScan(NamedTuple):
    """How far the scan came in each lane, and the time of the first unacknowledged entry (microseconds)."""

    lanes: dict[int, int]
    oldest: Micros | None


async def oldest_unacknowledged(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, lanes: Mapping[int, int], limit: int
) -> UnacknowledgedScan:
    """The oldest of the next `limit` entries of each lane that a destination has to acknowledge."""
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
                    SELECT t.profile_id FROM profile t
                    WHERE t.head = p.head AND t.head <> t.profile_id AND t.space_id + 0 = $1::int4
                      AND t.bucket + 0 = $4::int4
                ) m
                CROSS JOIN LATERAL (
                    SELECT FROM disclosure t
                    WHERE t.profile_id = m.id AND t.destination = $6::int4 AND t.space_id = $1::int4
                      AND t.bucket = $4::int4 AND t.first <= ahead.at OFFSET 0
                ) d
                WHERE p.profile_id = ahead.profile_id AND p.space_id + 0 = $1::int4 AND p.bucket + 0 = $4::int4
            )
        END)
        FROM ahead GROUP BY lane
        """,  # noqa: S608 (a condition)
        tenant.id,
        int2s(list(lanes)),
        int8s(list(lanes.values())),
        tenant.base,
        limit,
        destination,
        FeedOperation.ERASE.value,
    )
    moments = [Micros(at) for _, _, at in found if at is not None]
    return UnacknowledgedScan({int(lane): int(seq) for lane, seq, _ in found}, min(moments, default=None))


class DestinationPositionRow(NamedTuple):
    """A destination with its packed positions.

    `entries` is the number of entries that all lanes of its space have had.
    """

    space_id: SpaceNumber
    destination: DestinationNumber
    acked: bytes | None
    watched: bytes | None
    behind_at: Micros | None
    entries: int


async def list_positions(connection: Connection) -> list[DestinationPositionRow]:
    """The positions of all destinations of all spaces."""
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
    """How many destinations are overdue, how many are no longer sent to, and overdue notices of erasures.

    `oldest` is the time of the oldest change that a destination has to acknowledge (microseconds), 0 without any.
    """

    overdue: int = 0
    dead: int = 0
    erasures: int = 0
    oldest: int = 0

    @property
    def lag_seconds(self) -> float:
        """The age of the oldest change that a destination has to acknowledge."""
        return max(0.0, time.time() - self.oldest / 1_000_000) if self.oldest else 0.0


async def count(connection: Connection, before: Micros) -> OverdueCounts:
    """Count overdue destinations; `before` is the time since which none should be behind."""
    found = await row(
        connection,
        f"""
        SELECT count(*) FILTER (WHERE v.behind_at < $1::int8), count(v.dead_at),
               (SELECT count(*) FROM erasure_notice WHERE {notice_open()} AND state = $2::int2),
               coalesce(min(v.behind_at), 0)
        FROM destination d JOIN delivery v ON v.destination = d.id WHERE d.deleted_at IS NULL
        """,  # noqa: S608 (a condition)
        before,
        NoticeState.OVERDUE.value,
    )
    return OverdueCounts() if found is None else OverdueCounts(*(int(each) for each in found))
