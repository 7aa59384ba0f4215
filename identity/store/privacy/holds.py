"""Litigation holds as rows: a hold names identifiers by their blind indexes, its reason is sealed."""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import Uuid, byteas, uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.store.profiles import profile_queries
from identity.values.ids import HoldId, ProfileId
from identity.values.stamps import Micros

_HELD: LiteralString = """
WITH asked AS MATERIALIZED (
    SELECT row_number() OVER () AS nr, p.head
    FROM space_gate g
    JOIN held_key h ON h.hold_id = $2::uuid AND h.space_id = $1::int4 AND h.bucket = $3::int4
    CROSS JOIN LATERAL (
        SELECT t.* FROM identifier t WHERE t.key = h.key AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
    ) i
    CROSS JOIN LATERAL (
        SELECT t.* FROM profile t
        WHERE t.profile_id = i.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
    ) p
    WHERE g.space_id = $1::int4
),
"""
# `h` is a held key, `p` the profile that has it, and `p.head` the root of the person.
_HELD_PEOPLE: LiteralString = """
FROM held_key h
CROSS JOIN LATERAL (
    SELECT t.profile_id FROM identifier t
    WHERE t.key = h.key AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
) i
CROSS JOIN LATERAL (
    SELECT t.head FROM profile t
    WHERE t.profile_id = i.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
) p
"""


class CoverageRow(NamedTuple):
    """The people that a hold covers now: how many of its identifiers somebody has, how many profiles, the first ids."""

    hold: HoldId
    identifiers: int
    profiles: int
    canonical: list[ProfileId]


class HoldRow(NamedTuple):
    """A litigation hold, and how many identifiers it names."""

    id: HoldId
    created_at: Micros
    actor: str
    reason: bytes
    identifiers: int


async def on_identifiers(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> list[HoldId]:
    """The holds that name any of these identifiers."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT h.hold_id FROM held_key h
        WHERE h.key = ANY ($2::bytea[]) AND h.space_id = $1::int4 AND h.bucket = $3::int4 ORDER BY h.hold_id
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return [HoldId(bytes(id_)) for (id_,) in found]


async def on_members(connection: Connection, tenant: Tenant, groups: Sequence[bytes]) -> list[HoldId]:
    """The holds on people who are or were members of one of these groups, by the keys of the groups."""
    found = await rows(
        connection,
        f"""
        SELECT DISTINCT h.hold_id {_HELD_PEOPLE}
        CROSS JOIN LATERAL (
            SELECT t.profile_id FROM profile t
            WHERE t.head = p.head AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) o
        CROSS JOIN LATERAL (
            SELECT t.profile_id FROM membership t
            WHERE t.profile_id = o.profile_id AND t.group_key = ANY ($2::bytea[])
              AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) m
        WHERE h.space_id = $1::int4 AND h.bucket = $3::int4 ORDER BY h.hold_id
        """,  # noqa: S608 (a constant)
        tenant.id,
        byteas(groups),
        tenant.base,
    )
    return [HoldId(bytes(id_)) for (id_,) in found]


async def on_people(connection: Connection, tenant: Tenant, roots: Sequence[ProfileId]) -> list[HoldId]:
    """The holds on these people, who are given by the roots of their profiles."""
    found = await rows(
        connection,
        f"""
        SELECT DISTINCT h.hold_id {_HELD_PEOPLE}
        WHERE h.space_id = $1::int4 AND h.bucket = $3::int4 AND p.head = ANY ($2::uuid[]) ORDER BY h.hold_id
        """,
        tenant.id,
        uuids(roots),
        tenant.base,
    )
    return [HoldId(bytes(id_)) for (id_,) in found]


async def held_profiles(connection: Connection, tenant: Tenant, roots: Sequence[ProfileId]) -> set[ProfileId]:
    """The profiles among these, given by their roots, with an identifier that a hold names."""
    found = await rows(
        connection,
        f"""
        SELECT DISTINCT p.head {_HELD_PEOPLE}
        WHERE h.space_id = $1::int4 AND h.bucket = $3::int4 AND p.head = ANY ($2::uuid[])
        """,
        tenant.id,
        uuids(roots),
        tenant.base,
    )
    return {ProfileId(bytes(root)) for (root,) in found}


async def named_keys(connection: Connection, tenant: Tenant) -> dict[HoldId, frozenset[bytes]]:
    """The blind indexes that each hold of a space names."""
    found = await rows(
        connection,
        """
        SELECT h.hold_id, (SELECT array_agg(k.key) FROM held_key k
                           WHERE k.hold_id = h.hold_id AND k.space_id = $1::int4 AND k.bucket = $2::int4)
        FROM hold h WHERE h.space_id = $1::int4 AND h.bucket = $2::int4
        """,
        tenant.id,
        tenant.base,
    )
    return {HoldId(bytes(id_)): frozenset(bytes(key) for key in keys or ()) for id_, keys in found}


async def add(connection: Connection, tenant: Tenant, hold: HoldRow, keys: Sequence[bytes]) -> None:
    """A new hold on these identifiers."""
    await connection.execute(
        """
        INSERT INTO hold (hold_id, space_id, bucket, created_at, actor, reason)
        VALUES ($1, $2::int4, $3::int4, $4::int8, $5::text, $6)
        """,
        [Uuid(hold.id), tenant.id, tenant.base, hold.created_at, hold.actor, hold.reason],
    )
    await connection.execute(
        """
        INSERT INTO held_key (key, hold_id, space_id, bucket)
        SELECT DISTINCT k.key, $1, $2::int4, $3::int4 FROM unnest($4::bytea[]) AS k (key)
        """,
        [Uuid(hold.id), tenant.id, tenant.base, byteas(keys)],
    )


async def remove(connection: Connection, tenant: Tenant, id_: HoldId) -> bool:
    """Ends a hold; False where there is none."""
    await connection.execute(
        "DELETE FROM held_key WHERE hold_id = $1 AND space_id = $2::int4 AND bucket = $3::int4",
        [Uuid(id_), tenant.id, tenant.base],
    )
    done = await connection.execute(
        "DELETE FROM hold WHERE hold_id = $1 AND space_id = $2::int4 AND bucket = $3::int4",
        [Uuid(id_), tenant.id, tenant.base],
    )
    return done.rowcount > 0


async def profiles(connection: Connection, tenant: Tenant, id_: HoldId, most: int) -> profile_queries.ProfileRows:
    """The profiles with an identifier under a hold, on hold or not; at most `most` origins."""
    found = await rows(connection, _HELD + profile_queries.PROFILES_OF_ROOTS, tenant.id, Uuid(id_), tenant.base, most)
    return profile_queries.profile_rows(found, None)


async def coverage(connection: Connection, tenant: Tenant, ids: Sequence[HoldId], most: int) -> list[CoverageRow]:
    """The people that each of these holds covers now, `most` ids at most; a hold that covers nobody has no row."""
    found = await rows(
        connection,
        """
        WITH held AS MATERIALIZED (
            SELECT k.hold_id, k.key, r.canonical FROM held_key k
            CROSS JOIN LATERAL (
                SELECT t.* FROM identifier t
                WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) i
            CROSS JOIN LATERAL (
                SELECT t.* FROM profile t
                WHERE t.profile_id = i.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) p
            CROSS JOIN LATERAL (
                SELECT t.* FROM profile t
                WHERE t.profile_id = p.head AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) r
            WHERE k.hold_id = ANY ($2::uuid[]) AND k.space_id = $1::int4 AND k.bucket = $3::int4
        )
        SELECT hold_id, count(DISTINCT key)::int4, count(DISTINCT canonical)::int4,
               (array_agg(DISTINCT canonical ORDER BY canonical))[1:$4::int4]
        FROM held GROUP BY hold_id
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
        most,
    )
    return [
        CoverageRow(HoldId(bytes(id_)), known, count, [ProfileId(bytes(each)) for each in ids])
        for id_, known, count, ids in found
    ]


async def list_holds(connection: Connection, tenant: Tenant) -> list[HoldRow]:
    """The holds of a space, oldest first."""
    found = await rows(
        connection,
        """
        SELECT h.hold_id, h.created_at, h.actor, h.reason,
               (SELECT count(*)::int4 FROM held_key k
                WHERE k.hold_id = h.hold_id AND k.space_id = $1::int4 AND k.bucket = $2::int4)
        FROM hold h WHERE h.space_id = $1::int4 AND h.bucket = $2::int4 ORDER BY h.created_at
        """,
        tenant.id,
        tenant.base,
    )
    return [HoldRow(*each) for each in found]
