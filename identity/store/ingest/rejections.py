"""Reads rejected and demoted calls, newest first, from the two tables that hold them.

Rows of `rejection` hold calls that were not stored, or not whole. What a stored call lost is in its evidence, under
the key of its origin. Stamps order both, and no two rows share one.
"""

from typing import NamedTuple

from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import ProfileId
from identity.values.stamps import Stamp


class RejectedCallsRow(NamedTuple):
    """A sealed row of calls; the first `seen` of them are before the requested position."""

    stamp: Stamp
    seen: int
    payload: bytes


class DemotedCallRow(NamedTuple):
    """A sealed call that lost identifiers, with the key that opens it; None where the key is gone."""

    stamp: Stamp
    origin: ProfileId
    rules_version: int
    demoted: bytes
    payload: bytes
    canonical: ProfileId | None
    slot: int | None
    key_id: bytes | None
    wrapped: bytes | None
    epoch: int | None
    slot_wrapped: bytes | None


async def rejected_calls(
    connection: Connection, tenant: Tenant, since: Stamp, before: tuple[Stamp, int], most: int
) -> list[RejectedCallsRow]:
    """The newest rows from a stamp on that together hold `most` calls, before a (stamp, number in its row)."""
    found = await rows(
        connection,
        """
        SELECT t.stamp, t.seen, t.payload FROM (
            SELECT n.stamp, n.seen, n.payload, sum(n.seen) OVER (ORDER BY n.stamp DESC) - n.seen AS newer FROM (
                SELECT r.stamp, CASE WHEN r.stamp = $4::int8 THEN $5::int4 ELSE r.calls END AS seen, r.payload
                FROM rejection r
                WHERE r.space_id = $1::int4 AND r.bucket = $2::int4 AND r.stamp >= $3::int8 AND r.stamp <= $4::int8
                ORDER BY r.stamp DESC LIMIT $6::int4 + 1
            ) n
        ) t WHERE t.newer < $6::int4 AND t.seen > 0 ORDER BY t.stamp DESC
        """,
        tenant.id,
        tenant.base,
        since,
        *before,
        most,
    )
    return [RejectedCallsRow(*item) for item in found]


async def demoted_calls(
    connection: Connection, tenant: Tenant, since: Stamp, before: Stamp, most: int
) -> list[DemotedCallRow]:
    """The newest `most` stored calls with demotions, from one stamp on and before another."""
    # Each LIMIT keeps a look-up by key: joined, a plan made while the tables are empty scans the space.
    found = await rows(
        connection,
        """
        WITH page AS MATERIALIZED (
            SELECT e.stamp, e.profile_id, e.rules_version, e.demoted, e.payload FROM evidence e
            WHERE e.space_id = $1::int4 AND e.bucket = $2::int4 AND e.demoted IS NOT NULL
              AND e.stamp >= $3::int8 AND e.stamp < $4::int8
            ORDER BY e.stamp DESC LIMIT $5::int4
        )
        SELECT g.stamp, g.profile_id, g.rules_version, g.demoted, g.payload, h.canonical,
               s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM page g
        LEFT JOIN LATERAL (
            SELECT p.head FROM profile p
            WHERE p.profile_id = g.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4 AND NOT p.withheld
            LIMIT 1
        ) o ON true
        LEFT JOIN LATERAL (
            SELECT p.canonical FROM profile p
            WHERE p.profile_id = o.head AND p.space_id = $1::int4 AND p.bucket = $2::int4 LIMIT 1
        ) h ON true
        LEFT JOIN LATERAL (
            SELECT k.slot, k.key_id, k.wrapped FROM subject_key k
            WHERE k.profile_id = g.profile_id AND k.space_id = $1::int4 AND k.bucket = $2::int4 LIMIT 1
        ) s ON true
        LEFT JOIN LATERAL (
            SELECT k.epoch, k.wrapped FROM slot_key k
            WHERE k.space_id = $1::int4 AND k.slot = s.slot AND k.bucket = $2::int4 LIMIT 1
        ) w ON true
        ORDER BY g.stamp DESC
        """,
        tenant.id,
        tenant.base,
        since,
        before,
        most,
    )
    return [DemotedCallRow(*item) for item in found]
