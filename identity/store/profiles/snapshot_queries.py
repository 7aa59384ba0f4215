"""Reads all rows at the origins of a profile, for operations that change its shape.

The caller holds the space lock exclusively, so no row is added meanwhile.
"""

from collections.abc import Sequence

from identity.store.postgres.arrays import uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.rows import EventRow, HistoryRow, IdentifierRow, KeyRow, OriginRow, SightingRow
from identity.store.postgres.tenant import Tenant
from identity.values.ids import ProfileId, SubjectId


async def origins(connection: Connection, tenant: Tenant, ids: Sequence[ProfileId]) -> list[OriginRow]:
    """Every origin of the canonical profiles that these ids belong to."""
    found = await rows(
        connection,
        """
        WITH named AS MATERIALIZED (
            SELECT p.* FROM unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL (
                SELECT t.* FROM profile t
                WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) p
        ), heads AS MATERIALIZED (
            SELECT DISTINCT n.head FROM named n
        ), members AS (
            SELECT p.* FROM heads h CROSS JOIN LATERAL (
                SELECT t.* FROM profile t
                WHERE t.profile_id = h.head AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) p
            UNION ALL
            -- `+ 0` leaves the partial index on `head` alone.
            SELECT p.* FROM heads h CROSS JOIN LATERAL (
                SELECT t.* FROM profile t
                WHERE t.head = h.head AND t.head <> t.profile_id AND t.space_id + 0 = $1::int4
                  AND t.bucket + 0 = $3::int4 OFFSET 0
            ) p
            UNION ALL
            -- Dormant origins have no head; a later rebuild may make profiles of their calls again.
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


async def identifiers(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> list[IdentifierRow]:
    """The identifiers of these origins."""
    found = await rows(
        connection,
        """
        SELECT i.key, i.profile_id, i.type, i.retired, i.source, i.linked_at, i.first_seen, i.last_seen, i.value
        FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile_identifier t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) i
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [IdentifierRow(*each) for each in found]


async def subject_keys(connection: Connection, tenant: Tenant, ids: Sequence[SubjectId]) -> list[KeyRow]:
    """The wrapped subject keys of these origins, groups or exports, with their documents."""
    found = await rows(
        connection,
        """
        SELECT s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped, d.version, d.document
        FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.* FROM slot_key t
            WHERE t.space_id = $1::int4 AND t.slot = s.slot AND t.bucket = $3::int4 OFFSET 0
        ) w
        LEFT JOIN LATERAL (
            SELECT t.* FROM profile_document t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) d ON true
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    return [KeyRow(*each) for each in found]


async def events(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> list[EventRow]:
    """The plain calls of these origins that are still there."""
    found = await rows(
        connection,
        """
        SELECT v.profile_id, v.stamp, v.calls, v.payload FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM event t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) v
        ORDER BY v.stamp
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [EventRow(*each) for each in found]


async def sightings(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> list[SightingRow]:
    """The sets of identifiers seen at these origins."""
    found = await rows(
        connection,
        """
        SELECT g.profile_id, g.set_key, g.count, g.days, g.last_day, g.first_seen, g.last_seen, g.sources
        FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM sighting t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) g
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [SightingRow(*each) for each in found]


async def history(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> list[HistoryRow]:
    """The lines of history of these origins."""
    found = await rows(
        connection,
        """
        SELECT h.profile_id, h.stamp, h.seq, h.kind, h.other, h.keys, h.rules_version, h.actor
        FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM history t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) h
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [HistoryRow(*each) for each in found]
