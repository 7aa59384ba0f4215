"""Queries of evidence: the calls and corrections that shaped profiles, sealed, at the origin of each.

Every query returns rows of one type, so a reader of evidence has one shape to know.
"""

from collections.abc import Sequence
from typing import Final, LiteralString

from identity.store.postgres.arrays import int4s, int8s, uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.rows import EvidenceRow, KeyRow
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp

_COLUMNS: Final[LiteralString] = "e.profile_id, e.stamp, e.kind, e.kept, e.demoted, e.payload, e.rules_version"
_WITHOUT_PAYLOAD: Final[LiteralString] = "e.profile_id, e.stamp, e.kind, e.kept, e.demoted, ''::bytea, e.rules_version"
_OF_ORIGINS: Final[LiteralString] = """
FROM unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL (
    SELECT t.* FROM evidence t WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
) e
"""
_OF_SPACE: Final[LiteralString] = "FROM evidence e WHERE e.space_id = $1::int4 AND e.bucket = $2::int4"


async def by_origins(
    connection: Connection, tenant: Tenant, origins: Sequence[ProfileId], kinds: Sequence[int] | None = None
) -> list[EvidenceRow]:
    """The evidence of these origins, of these kinds or of all, by stamp."""
    found = await rows(
        connection,
        f"SELECT {_COLUMNS} {_OF_ORIGINS} WHERE $4::int4[] IS NULL OR e.kind = ANY ($4::int4[]) ORDER BY e.stamp",
        tenant.id,
        uuids(origins),
        tenant.base,
        None if kinds is None else int4s(kinds),
    )
    return [EvidenceRow(*each) for each in found]


async def without_payload(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> list[EvidenceRow]:
    """The evidence of these origins by stamp, without payloads."""
    found = await rows(
        connection,
        f"SELECT {_WITHOUT_PAYLOAD} {_OF_ORIGINS} ORDER BY e.stamp",
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [EvidenceRow(*each) for each in found]


async def with_identifier(
    connection: Connection, tenant: Tenant, origins: Sequence[ProfileId], key: BlindIndex
) -> list[EvidenceRow]:
    """The evidence of these origins that kept or demoted an identifier, without payloads."""
    found = await rows(
        connection,
        f"""
        SELECT {_WITHOUT_PAYLOAD} {_OF_ORIGINS}
        WHERE position($4::bytea IN e.kept) > 0 OR position($4::bytea IN e.demoted) > 0
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
        key,
    )
    return [EvidenceRow(*each) for each in found]


async def by_stamps(
    connection: Connection, tenant: Tenant, places: Sequence[tuple[ProfileId, Stamp]]
) -> list[EvidenceRow]:
    """The evidence at these (origin, stamp) pairs, where there is any."""
    found = await rows(
        connection,
        f"""
        SELECT {_COLUMNS} FROM unnest($2::uuid[], $3::int8[]) AS k (id, stamp)
        CROSS JOIN LATERAL (
            SELECT t.* FROM evidence t
            WHERE t.profile_id = k.id AND t.stamp = k.stamp AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
        ) e
        """,  # noqa: S608 (names of columns)
        tenant.id,
        uuids([origin for origin, _ in places]),
        int8s([stamp for _, stamp in places]),
        tenant.base,
    )
    return [EvidenceRow(*each) for each in found]


async def by_kinds(connection: Connection, tenant: Tenant, kinds: Sequence[int]) -> list[EvidenceRow]:
    """The evidence of a whole space of these kinds, without payloads: for kinds of which there is little."""
    found = await rows(
        connection,
        f"SELECT {_WITHOUT_PAYLOAD} {_OF_SPACE} AND e.kind = ANY ($3::int4[])",
        tenant.id,
        tenant.base,
        int4s(kinds),
    )
    return [EvidenceRow(*each) for each in found]


async def exists(connection: Connection, tenant: Tenant, origin: ProfileId, stamp: Stamp) -> bool:
    """Whether there is evidence of this stamp at this origin."""
    return bool(await by_stamps(connection, tenant, [(origin, stamp)]))


async def demoted_since(connection: Connection, tenant: Tenant, stamp: Stamp) -> list[EvidenceRow]:
    """The calls of a space after a stamp that lost identifiers, without payloads."""
    found = await rows(
        connection,
        f"SELECT {_WITHOUT_PAYLOAD} {_OF_SPACE} AND e.stamp > $3::int8 AND e.demoted IS NOT NULL",
        tenant.id,
        tenant.base,
        stamp,
    )
    return [EvidenceRow(*each) for each in found]


async def newest_demoted(connection: Connection, tenant: Tenant, most: int) -> list[tuple[ProfileId, bytes]]:
    """(root, demoted identifiers) of the newest calls of a space that lost identifiers."""
    found = await rows(
        connection,
        f"""
        SELECT p.head, e.demoted FROM (
            SELECT e.profile_id, e.demoted {_OF_SPACE} AND e.demoted IS NOT NULL ORDER BY e.stamp DESC LIMIT $3::int4
        ) e
        CROSS JOIN LATERAL (
            SELECT t.head FROM profile t
            WHERE t.profile_id = e.profile_id AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
        ) p
        """,  # noqa: S608 (a condition)
        tenant.id,
        tenant.base,
        most,
    )
    return [(ProfileId(root), demoted) for root, demoted in found]


async def by_range(
    connection: Connection, tenant: Tenant, first: bytes, last: bytes
) -> list[tuple[ProfileId, EvidenceRow, KeyRow]]:
    """All evidence of the origins from one id to another: (root, evidence, key that opens the evidence)."""
    found = await rows(
        connection,
        f"""
        SELECT p.head, {_COLUMNS}, s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM (SELECT profile_id, head FROM profile
              WHERE space_id = $1::int4 AND bucket = $2::int4 AND profile_id BETWEEN $3::uuid AND $4::uuid) p
        CROSS JOIN LATERAL (
            SELECT t.* FROM evidence t
            WHERE t.profile_id = p.profile_id AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
        ) e
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = p.profile_id AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.epoch, t.wrapped FROM slot_key t
            WHERE t.space_id = $1::int4 AND t.slot = s.slot AND t.bucket = $2::int4 OFFSET 0
        ) w
        """,  # noqa: S608 (names of columns)
        tenant.id,
        tenant.base,
        first.hex(),
        last.hex(),
    )
    return [(ProfileId(each[0]), EvidenceRow(*each[1:8]), KeyRow(*each[8:])) for each in found]
