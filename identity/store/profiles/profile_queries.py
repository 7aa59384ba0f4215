"""Reads whole profiles: identifier or id -> origin -> root -> every origin, in one statement.

One statement sees one snapshot, so a profile is never half merged, and costs one round trip. It includes the space
lock: a deleted space has no profiles, and a caller with keys of an older version gets KeyRenamed. The first column
names the part: the root found for a reference (0), an origin with document and wrapped key (1), an identifier
(2), the version of the index key (3).
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import byteas, uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.rows import HistoryRow
from identity.store.postgres.tenant import Tenant
from identity.values.errors import KeyRenamed
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

_BY_KEY: LiteralString = """
WITH asked AS MATERIALIZED (
    SELECT k.nr, p.head
    FROM space_gate g
    CROSS JOIN unnest($2::bytea[]) WITH ORDINALITY AS k (key, nr)
    CROSS JOIN LATERAL (
        SELECT t.profile_id FROM identifier t
        WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
    ) i
    CROSS JOIN LATERAL (
        SELECT t.head, t.withheld FROM profile t
        WHERE t.profile_id = i.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
    ) p
    WHERE g.space_id = $1::int4 AND NOT p.withheld
),
"""
_BY_ID: LiteralString = """
WITH asked AS MATERIALIZED (
    SELECT k.nr, p.head
    FROM space_gate g
    CROSS JOIN unnest($2::uuid[]) WITH ORDINALITY AS k (id, nr)
    CROSS JOIN LATERAL (
        SELECT t.head, t.withheld FROM profile t
        WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
    ) p
    -- A dormant id leads to no profile.
    WHERE g.space_id = $1::int4 AND NOT p.withheld AND p.head <> '00000000-0000-0000-0000-000000000000'
),
"""
PROFILES_OF_ROOTS: LiteralString = """
heads AS (SELECT DISTINCT head FROM asked),
members AS MATERIALIZED (
    SELECT p.* FROM heads h CROSS JOIN LATERAL (
        (SELECT t.* FROM profile t
         WHERE t.profile_id = h.head AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0)
        UNION ALL
        -- `+ 0` leaves the partial index on `head` alone.
        (SELECT t.* FROM profile t
         WHERE t.head = h.head AND t.head <> t.profile_id AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $3::int4
         OFFSET 0)
    ) p
    LIMIT $4::int8
)
SELECT 0::int2, NULL::uuid, a.head, NULL::uuid, NULL::uuid, NULL::int8, a.nr, NULL::int8, NULL::int8, NULL::int8,
       NULL::int2, NULL::int4, NULL::int4, NULL::uuid, NULL::bytea, NULL::bytea, NULL::bytea, NULL::bool, NULL::bytea
FROM asked a
UNION ALL
SELECT 1::int2, m.profile_id, m.head, m.canonical, m.joined_to, m.joined_at, m.version, m.stamp, m.elder, m.events,
       s.slot, w.epoch, d.version, s.key_id, s.wrapped, w.wrapped, d.document, NULL::bool, m.own
FROM members m
LEFT JOIN LATERAL (
    SELECT t.* FROM subject_key t
    WHERE t.profile_id = m.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
) s ON true
LEFT JOIN LATERAL (
    SELECT t.* FROM slot_key t WHERE t.space_id = $1::int4 AND t.slot = s.slot AND t.bucket = $3::int4 OFFSET 0
) w ON true
LEFT JOIN LATERAL (
    SELECT t.* FROM profile_document t
    WHERE t.profile_id = m.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
) d ON true
UNION ALL
SELECT 2::int2, m.profile_id, m.head, NULL::uuid, NULL::uuid, NULL::int8, i.type, i.first_seen, i.last_seen,
       i.linked_at, NULL::int2, NULL::int4, NULL::int4, NULL::uuid, i.value, i.key, NULL::bytea, i.retired, NULL::bytea
FROM members m
CROSS JOIN LATERAL (
    SELECT t.* FROM profile_identifier t
    WHERE t.profile_id = m.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
) i
UNION ALL
SELECT 3::int2, NULL::uuid, NULL::uuid, NULL::uuid, NULL::uuid, NULL::int8, NULL::int8, NULL::int8, NULL::int8,
       NULL::int8, g.index_version, NULL::int4, NULL::int4, NULL::uuid, NULL::bytea, NULL::bytea, NULL::bytea,
       NULL::bool, NULL::bytea
FROM space_gate g WHERE g.space_id = $1::int4
"""
_ROOT, _ORIGIN, _IDENTIFIER = 0, 1, 2
_READ_BY_KEY: LiteralString = _BY_KEY + PROFILES_OF_ROOTS
_READ_BY_ID: LiteralString = _BY_ID + PROFILES_OF_ROOTS


class SealedOriginRow(NamedTuple):
    """An origin of a canonical profile, sealed; `own` are its counters, packed."""

    id: ProfileId
    root: ProfileId
    canonical: ProfileId
    joined_to: ProfileId | None
    joined_at: Stamp | None
    version: int
    stamp: Stamp
    oldest_birth: Stamp
    events: int
    slot: int | None
    epoch: int | None
    document_version: int | None
    key_id: bytes | None
    wrapped: bytes | None
    slot_wrapped: bytes | None
    document: bytes | None
    own: bytes


class SealedIdentifierRow(NamedTuple):
    """An identifier of an origin, sealed; times in microseconds, `linked_at` a stamp."""

    origin: ProfileId
    root: ProfileId
    type: int
    first_seen: Micros
    last_seen: Micros
    linked_at: Stamp
    value: bytes
    key: BlindIndex
    retired: bool


class ProfileRows(NamedTuple):
    """The result: number of the reference (from 0) -> root, and the rows of each root."""

    roots: dict[int, ProfileId]
    origins: list[SealedOriginRow]
    identifiers: list[SealedIdentifierRow]


async def by_keys(
    connection: Connection, tenant: Tenant, keys: Sequence[Sequence[BlindIndex]], most: int, version: int
) -> ProfileRows:
    """The profiles that hold these identifiers, each by any of the keys it may have; at most `most` origins.

    `version` is the newest version of the keys: KeyRenamed where the space has a newer one.
    """
    numbered = [(nr, key) for nr, each in enumerate(keys) for key in each]
    found = await rows(connection, _READ_BY_KEY, tenant.id, byteas([key for _, key in numbered]), tenant.base, most)
    return profile_rows(found, version, [nr for nr, _ in numbered])


async def by_ids(
    connection: Connection, tenant: Tenant, ids: Sequence[ProfileId], most: int, version: int | None = None
) -> ProfileRows:
    """The profiles of these ids, merged away or not; at most `most` origins.

    `version` is the newest version of the index key, for a caller that looks for keys: KeyRenamed where there is a
    newer one.
    """
    found = await rows(connection, _READ_BY_ID, tenant.id, uuids(ids), tenant.base, most)
    return profile_rows(found, version, range(len(ids)))


def profile_rows(found: list[tuple], version: int | None, numbers: Sequence[int] = ()) -> ProfileRows:  # type: ignore[type-arg]
    """Split the rows of such a statement by part; `numbers` are those of the references, by key or id."""
    roots: dict[int, ProfileId] = {}
    origins, identifiers = [], []
    for r in found:
        if r[0] == _ROOT:
            roots[numbers[r[6] - 1] if numbers else r[6] - 1] = r[2]
        elif r[0] == _ORIGIN:
            origins.append(SealedOriginRow._make((*r[1:17], r[18])))
        elif r[0] != _IDENTIFIER:
            if version is not None and r[10] != version:
                raise KeyRenamed
        else:
            identifiers.append(
                SealedIdentifierRow(
                    origin=r[1],
                    root=r[2],
                    type=r[6],
                    first_seen=r[7],
                    last_seen=r[8],
                    linked_at=r[9],
                    value=r[14],
                    key=r[15],
                    retired=r[17],
                )
            )
    return ProfileRows(roots, origins, identifiers)


async def list_roots(connection: Connection, tenant: Tenant, after: bytes, limit: int) -> list[ProfileId]:
    """The roots of canonical profiles in the order of their ids."""
    found = await rows(
        connection,
        """
        SELECT profile_id FROM profile
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND profile_id > $3::uuid AND head = profile_id
          AND NOT withheld
        ORDER BY profile_id LIMIT $4::int4
        """,
        tenant.id,
        tenant.base,
        after.hex(),
        limit,
    )
    return [id_ for (id_,) in found]


async def list_canonical(
    connection: Connection, tenant: Tenant, after: bytes, limit: int
) -> list[tuple[ProfileId, Stamp, Stamp]]:
    """(id, stamp of the oldest origin, newest stamp) of canonical profiles in the order of their ids.

    A merge keeps one of two ids and removes the other, so no profile is listed twice.
    """
    found = await rows(
        connection,
        """
        SELECT p.profile_id, h.elder, h.stamp FROM profile p
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = p.head AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
        ) h
        WHERE p.space_id = $1::int4 AND p.bucket = $2::int4 AND p.profile_id > $3::uuid AND h.canonical = p.profile_id
          AND NOT h.withheld
        ORDER BY p.profile_id LIMIT $4::int4
        """,
        tenant.id,
        tenant.base,
        after.hex(),
        limit,
    )
    return [(id_, oldest_birth, stamp) for id_, oldest_birth, stamp in found]


async def history(
    connection: Connection, tenant: Tenant, origins: Sequence[ProfileId], before: tuple[Stamp, int], limit: int
) -> list[HistoryRow]:
    """The newest lines of these origins before a (stamp, seq)."""
    found = await rows(
        connection,
        """
        SELECT h.profile_id, h.stamp, h.seq, h.kind, h.other, h.keys, h.rules_version, h.actor
        FROM unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL (
            SELECT t.* FROM history t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4
              AND (t.stamp, t.seq) < ($4::int8, $5::int4)
            ORDER BY t.stamp DESC, t.seq DESC LIMIT $6::int4
        ) h
        ORDER BY h.stamp DESC, h.seq DESC LIMIT $6::int4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
        *before,
        limit,
    )
    return [HistoryRow(*item) for item in found]
