"""Reads all rows at the origins of a profile, for operations that change its shape.

The caller holds the space lock exclusively, so no row is added meanwhile.
"""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.rows import HistoryRow, KeyRow, OriginRow, SightingRow
from identity.store.postgres.tenant import Tenant


class HeldRow(NamedTuple):
    """A reverse row; `value` is sealed under its origin's key."""

    origin: bytes
    key: bytes
    type: int
    retired: bool
    source: int
    linked_at: int
    first_seen: int
    last_seen: int
    value: bytes


class PackedRow(NamedTuple):
    """A row of plain calls, sealed."""

    origin: bytes
    stamp: int
    calls: int
    payload: bytes


async def origins(connection: Connection, tenant: Tenant, ids: Sequence[bytes]) -> list[OriginRow]:
    """Every origin of the canonical profiles that these ids belong to."""
    found = await rows(
        connection,
        """
        WITH named AS MATERIALIZED (
            SELECT p.* FROM unnest($2::uuid[]) AS k (id)
            JOIN profile p ON p.profile_id = k.id AND p.space_id = $1::int4 AND p.bucket = $3::int4
        ), heads AS MATERIALIZED (
            SELECT DISTINCT n.head FROM named n
        ), members AS (
            SELECT p.* FROM heads h
            JOIN profile p ON p.profile_id = h.head AND p.space_id = $1::int4 AND p.bucket = $3::int4
            UNION ALL
            SELECT p.* FROM heads h
            JOIN profile p ON p.head = h.head AND p.head <> p.profile_id
                AND p.space_id = $1::int4 AND p.bucket = $3::int4
            UNION ALL
            -- Those that are asleep have no head; their calls may mean somebody again.
            SELECT n.* FROM named n WHERE n.head = '00000000-0000-0000-0000-000000000000'
        )
        SELECT profile_id, version, stamp, born, elder, events, joined_at, head, canonical, joined_to, own, folded
        FROM members
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    return [OriginRow(*each) for each in found]


async def identifiers(connection: Connection, tenant: Tenant, origins: Sequence[bytes]) -> list[HeldRow]:
    """The identifiers of these origins."""
    found = await rows(
        connection,
        """
        SELECT i.profile_id, i.key, i.type, i.retired, i.source, i.linked_at, i.first_seen, i.last_seen, i.value
        FROM unnest($2::uuid[]) AS k (id)
        JOIN profile_identifier i ON i.profile_id = k.id AND i.space_id = $1::int4 AND i.bucket = $3::int4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [HeldRow(*each) for each in found]


async def subject_keys(connection: Connection, tenant: Tenant, origins: Sequence[bytes]) -> list[KeyRow]:
    """The wrapped subject keys of these origins, with their documents."""
    found = await rows(
        connection,
        """
        SELECT s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped, d.version, d.document
        FROM unnest($2::uuid[]) AS k (id)
        JOIN subject_key s ON s.profile_id = k.id AND s.space_id = $1::int4 AND s.bucket = $3::int4
        JOIN slot_key w ON w.space_id = $1::int4 AND w.slot = s.slot AND w.bucket = $3::int4
        LEFT JOIN profile_document d ON d.profile_id = k.id AND d.space_id = $1::int4 AND d.bucket = $3::int4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [KeyRow(*each) for each in found]


async def events(connection: Connection, tenant: Tenant, origins: Sequence[bytes]) -> list[PackedRow]:
    """The plain calls of these origins that are still there."""
    found = await rows(
        connection,
        """
        SELECT v.profile_id, v.stamp, v.calls, v.payload FROM unnest($2::uuid[]) AS k (id)
        JOIN event v ON v.profile_id = k.id AND v.space_id = $1::int4 AND v.bucket = $3::int4
        ORDER BY v.stamp
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [PackedRow(*each) for each in found]


async def sightings(connection: Connection, tenant: Tenant, origins: Sequence[bytes]) -> list[SightingRow]:
    """The sets of identifiers seen at these origins."""
    found = await rows(
        connection,
        """
        SELECT g.profile_id, g.set_key, g.count, g.days, g.last_day, g.sources FROM unnest($2::uuid[]) AS k (id)
        JOIN sighting g ON g.profile_id = k.id AND g.space_id = $1::int4 AND g.bucket = $3::int4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [SightingRow(*each) for each in found]


async def history(connection: Connection, tenant: Tenant, origins: Sequence[bytes]) -> list[HistoryRow]:
    """The lines of history of these origins."""
    found = await rows(
        connection,
        """
        SELECT h.profile_id, h.stamp, h.seq, h.kind, h.other, h.keys, h.rules_version, h.actor
        FROM unnest($2::uuid[]) AS k (id)
        JOIN history h ON h.profile_id = k.id AND h.space_id = $1::int4 AND h.bucket = $3::int4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [HistoryRow(*each) for each in found]
