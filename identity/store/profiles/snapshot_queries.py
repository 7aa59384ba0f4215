"""Reads everything that lies at the origins of a profile, for what changes its shape.

Whoever acts on what these give holds the gate alone, so that nothing is added meanwhile.
"""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import byteas, uuids
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


class LainRow(NamedTuple):
    """A row of evidence, sealed."""

    origin: bytes
    stamp: int
    kind: int
    rules_version: int
    kept: bytes
    demoted: bytes | None
    payload: bytes


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


async def evidence(
    connection: Connection, tenant: Tenant, origins: Sequence[bytes], kinds: Sequence[int] | None = None
) -> list[LainRow]:
    """The evidence of these origins, of these kinds or of all, by stamp."""
    found = await rows(
        connection,
        """
        SELECT e.profile_id, e.stamp, e.kind, e.rules_version, e.kept, e.demoted, e.payload
        FROM unnest($2::uuid[]) AS k (id)
        JOIN evidence e ON e.profile_id = k.id AND e.space_id = $1::int4 AND e.bucket = $3::int4
        WHERE $4::int4[] IS NULL OR e.kind = ANY ($4::int4[])
        ORDER BY e.stamp
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
        None if kinds is None else list(kinds),
    )
    return [LainRow(*each) for each in found]


async def naming(connection: Connection, tenant: Tenant, origins: Sequence[bytes], key: bytes) -> list[LainRow]:
    """The evidence of these origins that kept or demoted an identifier, without its payload."""
    found = await rows(
        connection,
        """
        SELECT e.profile_id, e.stamp, e.kind, e.rules_version, e.kept, e.demoted, ''::bytea
        FROM unnest($2::uuid[]) AS k (id)
        JOIN evidence e ON e.profile_id = k.id AND e.space_id = $1::int4 AND e.bucket = $3::int4
        WHERE position($4::bytea IN e.kept) > 0 OR position($4::bytea IN e.demoted) > 0
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
        key,
    )
    return [LainRow(*each) for each in found]


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


async def cuts(connection: Connection, tenant: Tenant, named: Sequence[bytes]) -> list[tuple[bytes, bytes, int]]:
    """The (key, cut, side) rows of these identifiers."""
    found = await rows(
        connection,
        """
        SELECT c.key, c.cut, c.side FROM unnest($2::bytea[]) AS k (key)
        JOIN cut c ON c.key = k.key AND c.space_id = $1::int4 AND c.bucket = $3::int4
        """,
        tenant.id,
        byteas(named),
        tenant.base,
    )
    return [(key, cut, side) for key, cut, side in found]


async def happened(connection: Connection, tenant: Tenant, origin: bytes, stamp: int) -> bool:
    """Whether there is evidence of this stamp at this origin."""
    found = await rows(
        connection,
        """
        SELECT 1 FROM evidence
        WHERE profile_id = $2::uuid AND stamp = $3::int8 AND space_id = $1::int4 AND bucket = $4::int4
        """,
        tenant.id,
        origin.hex(),
        stamp,
        tenant.base,
    )
    return bool(found)


class ShownRow(NamedTuple):
    """What a row of evidence says without being opened."""

    origin: bytes
    stamp: int
    kind: int
    rules_version: int
    kept: bytes
    demoted: bytes | None


async def shown(connection: Connection, tenant: Tenant, origins: Sequence[bytes]) -> list[ShownRow]:
    """What the evidence of these origins shows, by stamp."""
    found = await rows(
        connection,
        """
        SELECT e.profile_id, e.stamp, e.kind, e.rules_version, e.kept, e.demoted
        FROM unnest($2::uuid[]) AS k (id)
        JOIN evidence e ON e.profile_id = k.id AND e.space_id = $1::int4 AND e.bucket = $3::int4
        ORDER BY e.stamp
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [ShownRow(*each) for each in found]


async def refused(connection: Connection, tenant: Tenant, most: int) -> list[tuple[bytes, bytes]]:
    """The newest calls of the space that were refused identifiers: the head they landed on, and which."""
    found = await rows(
        connection,
        """
        SELECT p.head, e.demoted FROM (
            SELECT profile_id, demoted FROM evidence
            WHERE space_id = $1::int4 AND bucket = $2::int4 AND demoted IS NOT NULL ORDER BY stamp DESC LIMIT $3::int4
        ) e
        JOIN profile p ON p.profile_id = e.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4
        """,
        tenant.id,
        tenant.base,
        most,
    )
    return [(head, demoted) for head, demoted in found]
