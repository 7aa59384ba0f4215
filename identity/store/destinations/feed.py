"""Reads the feed: entries of the lanes after a position in each, and which entries are no longer kept.

A lane holds exactly the entries after its base up to its end, in order. Reading the first entries of every lane skips
nothing, however late the writer of another lane commits.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from identity.store.ingest import write_statements
from identity.store.postgres.arrays import int2s, int4s, int8s, uuids, uuids_or_null
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.rows import ChangeRow
from identity.store.postgres.tenant import Tenant
from identity.store.spaces.spaces_and_keys import LANES
from identity.values.ids import ProfileId, SpaceNumber
from identity.values.lane_entries import LaneEntry
from identity.values.stamps import Stamp

_RESTART_OFFSET = 1 << 40
"""Added to the numbers of all lanes, so that they pass every number that a lost database may have given out."""


class LaneHeadRow(NamedTuple):
    """A lane: its last entry, and the last one that is no longer kept."""

    lane: int
    seq: int
    base: int


async def lanes(connection: Connection, tenant: Tenant) -> list[LaneHeadRow]:
    """The lanes of a space."""
    found = await rows(
        connection,
        "SELECT lane, seq, base FROM lane_head WHERE space_id = $1::int4 AND bucket = $2::int4 ORDER BY lane",
        tenant.id,
        tenant.base,
    )
    return [LaneHeadRow(*each) for each in found]


async def lanes_of(connection: Connection, tenants: Sequence[Tenant]) -> dict[SpaceNumber, list[LaneHeadRow]]:
    """The lanes of several spaces."""
    found = await rows(
        connection,
        """
        SELECT h.space_id, h.lane, h.seq, h.base FROM unnest($1::int4[], $2::int4[]) AS k (space_id, bucket)
        CROSS JOIN LATERAL (
            SELECT t.* FROM lane_head t WHERE t.space_id = k.space_id AND t.bucket = k.bucket OFFSET 0
        ) h
        """,
        int4s([each.id for each in tenants]),
        int4s([each.base for each in tenants]),
    )
    heads: dict[SpaceNumber, list[LaneHeadRow]] = {}
    for space, *head in found:
        heads.setdefault(space, []).append(LaneHeadRow(*head))
    return heads


async def profiles_after(connection: Connection, tenant: Tenant, after_profile: bytes) -> int:
    """How many profiles follow an id."""
    found = await row(
        connection,
        """
        SELECT count(*) FROM profile
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND head = profile_id AND profile_id > $3::uuid
        """,
        tenant.id,
        tenant.base,
        after_profile.hex(),
    )
    return 0 if found is None else int(found[0])


async def entries(connection: Connection, tenant: Tenant, lanes: Mapping[int, int], limit: int) -> list[LaneEntry]:
    """The next entries after `lanes` (lane to entry), nearest first, at most `limit`."""
    found = await rows(
        connection,
        """
        SELECT c.lane, c.seq, c.op, c.version, c.at, c.profile_id, c.other
        FROM unnest($2::int2[], $3::int8[]) AS a (lane, seq)
        CROSS JOIN LATERAL (
            SELECT * FROM change c
            WHERE c.space_id = $1::int4 AND c.lane = a.lane AND c.seq > a.seq AND c.bucket = $4::int4
            ORDER BY c.seq LIMIT $5::int8
        ) c
        ORDER BY c.seq - a.seq, c.lane LIMIT $5::int8
        """,
        tenant.id,
        int2s(list(lanes)),
        int8s(list(lanes.values())),
        tenant.base,
        limit,
    )
    return [LaneEntry(*each) for each in found]


async def canonical_ids(
    connection: Connection, tenant: Tenant, ids: Sequence[ProfileId]
) -> list[tuple[ProfileId, ProfileId]]:
    """(id, canonical id) of the readable profiles among these ids."""
    found = await rows(
        connection,
        """
        SELECT p.profile_id, h.canonical FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) p
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = p.head AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) h
        WHERE NOT p.withheld
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    return [(id_, canonical) for id_, canonical in found]


async def mentions(
    connection: Connection, tenant: Tenant, lanes: Mapping[int, int], ids: Sequence[ProfileId], most: int
) -> bool | None:
    """Whether an entry after `lanes` (lane to entry) is about one of these profiles; None after `most` others."""
    found = await row(
        connection,
        """
        SELECT count(*), coalesce(bool_or(e.profile_id = ANY ($5::uuid[]) OR e.other = ANY ($5::uuid[])), false)
        FROM (
            SELECT c.profile_id, c.other FROM unnest($2::int2[], $3::int8[]) AS a (lane, seq)
            CROSS JOIN LATERAL (
                SELECT * FROM change c
                WHERE c.space_id = $1::int4 AND c.lane = a.lane AND c.seq > a.seq AND c.bucket = $4::int4
                ORDER BY c.seq LIMIT $6::int8
            ) c LIMIT $6::int8
        ) e
        """,
        tenant.id,
        int2s(list(lanes)),
        int8s(list(lanes.values())),
        tenant.base,
        uuids(ids),
        most,
    )
    if found is None or (found[0] == most and not found[1]):
        return None
    return bool(found[1])


async def append(connection: Connection, tenant: Tenant, lane: int, changes: list[ChangeRow]) -> None:
    """Append entries to a lane, at the end of the transaction of the caller."""
    op, version, at, profile, other = zip(*changes, strict=True)
    await connection.execute(
        write_statements.INSERT_CHANGES,
        [
            tenant.id, lane % LANES, tenant.base, len(changes),
            int2s(op), int8s(version), int8s(at), uuids(profile), uuids_or_null(other),
        ],
    )  # fmt: skip


async def trim(connection: Connection, tenant: Tenant, lane: int, before: Stamp, limit: int) -> int:
    """Delete up to `limit` of the first entries of a lane that are all from before a stamp; returns how many.

    Stamps in a lane need not be in order: an old entry after a newer one waits for it. Needs a transaction of its
    own.
    """
    found = await row(
        connection,
        """
        SELECT h.base, coalesce((
            SELECT coalesce(min(c.seq) FILTER (WHERE c.at >= $4::int8) - 1, max(c.seq)) FROM (
                SELECT seq, at FROM change
                WHERE space_id = $1::int4 AND lane = $2::int2 AND bucket = $3::int4 AND seq > h.base
                ORDER BY seq LIMIT $5::int8
            ) c
        ), h.base)
        FROM lane_head h WHERE h.space_id = $1::int4 AND h.lane = $2::int2 AND h.bucket = $3::int4 FOR UPDATE
        """,
        tenant.id,
        lane,
        tenant.base,
        before,
        limit,
    )
    if found is None or found[0] == found[1]:
        return 0
    base, upto = found
    await connection.execute(
        """
        DELETE FROM change WHERE space_id = $1::int4 AND lane = $2::int2 AND bucket = $3::int4 AND seq <= $4::int8
        """,
        [tenant.id, lane, tenant.base, upto],
    )
    await connection.execute(
        "UPDATE lane_head SET base = $4::int8 WHERE space_id = $1::int4 AND lane = $2::int2 AND bucket = $3::int4",
        [tenant.id, lane, tenant.base, upto],
    )
    return int(upto - base)


async def restart(connection: Connection, tenant: Tenant) -> None:
    """Make every reader start again: all positions in the lanes are left behind."""
    await connection.execute(
        "DELETE FROM change WHERE space_id = $1::int4 AND bucket = $2::int4", [tenant.id, tenant.base]
    )
    await connection.execute(
        """
        UPDATE lane_head SET seq = seq + $3::int8, base = seq + $3::int8
        WHERE space_id = $1::int4 AND bucket = $2::int4
        """,
        [tenant.id, tenant.base, _RESTART_OFFSET],
    )
