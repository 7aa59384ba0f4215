"""Deletes profiles: every row at their origins, and every row that names them.

Runs under the exclusive space lock, so no row is added meanwhile. What remains (suppressions, removals, ledger,
erasures) holds keyed hashes and ids of deleted profiles. Statements follow the order of locks: slots before subject
keys.
"""

from collections.abc import Sequence
from typing import Final, LiteralString

from identity.store.ingest import write_statements
from identity.store.postgres.arrays import Uuid, byteas, int4, uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.pipeline import PipelineConnection, Statement, run
from identity.store.postgres.tenant import Tenant
from identity.values.ids import DestinationNumber, ErasureId, ProfileId, SubjectId

ERASED: Final = (
    "identifier",
    "profile_identifier",
    "cut",
    "claim",
    "membership",
    *write_statements.CONTENT_TABLES,
    "disclosure",
    "profile",
)
"""The tables from which an erasure deletes the rows of a person, in the order of the statements."""

_IDENTIFIERS: LiteralString = """
DELETE FROM identifier WHERE space_id = $1::int4 AND key = ANY (ARRAY(
    SELECT r.key FROM profile_identifier r
    WHERE r.profile_id = ANY ($2::uuid[]) AND r.space_id = $1::int4 AND r.bucket = ANY ($3::int4[])
))
"""
_CUTS: LiteralString = """
DELETE FROM cut WHERE key = ANY ($2::bytea[]) AND space_id = $1::int4 AND bucket = ANY ($3::int4[])
"""
_CLAIMS: LiteralString = """
DELETE FROM claim WHERE key = ANY ($2::bytea[]) AND space_id = $1::int4 AND bucket = ANY ($3::int4[])
"""
_MEMBERSHIPS: LiteralString = """
DELETE FROM membership m USING (
    SELECT g.key, g.bucket, p.id FROM unnest($2::bytea[], $3::int4[]) AS g (key, bucket), unnest($4::uuid[]) AS p (id)
) u
WHERE m.group_key = ANY (ARRAY[u.key]) AND m.profile_id = u.id AND m.space_id + 0 = $1::int4 AND m.bucket + 0 = u.bucket
"""


def _of_profiles(table: LiteralString) -> LiteralString:
    return f"""
        DELETE FROM {table}
        WHERE profile_id = ANY ($2::uuid[]) AND space_id + 0 = $1::int4 AND bucket + 0 = ANY ($3::int4[])
    """  # noqa: S608 (names of tables)


async def delete_profiles(
    connection: PipelineConnection,
    tenant: Tenant,
    origins: Sequence[ProfileId],
    indexes: Sequence[bytes],
    groups: Sequence[bytes],
) -> dict[str, int]:
    """Delete the origins, with the blind indexes of their identifiers and groups `groups`; returns rows per table."""
    space, profiles = int4(tenant.id), (uuids(origins), tenant.buckets(origins))
    named = (byteas(indexes), tenant.buckets(indexes))
    slots, *contents = write_statements.DELETE_ORIGIN_CONTENT
    steps = [
        Statement(slots, [space, *profiles]),
        Statement(_IDENTIFIERS, [space, *profiles]),
        Statement(_of_profiles("profile_identifier"), [space, *profiles]),
        Statement(_CUTS, [space, *named]),
        Statement(_CLAIMS, [space, *named]),
        Statement(_MEMBERSHIPS, [space, byteas(groups), tenant.buckets(groups), uuids(origins)]),
        *(Statement(statement, [space, *profiles]) for statement in contents),
        Statement(_of_profiles("disclosure"), [space, *profiles]),
        Statement(_of_profiles("profile"), [space, *profiles]),
    ]
    _, *results = await run(connection, *steps)
    counted: dict[str, int] = {}
    for table, result in zip(ERASED, results, strict=True):
        if result.touched:
            counted[table] = counted.get(table, 0) + result.touched
    return counted


async def informed_destinations(
    connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]
) -> list[DestinationNumber]:
    """The destinations that received data of these origins."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT d.destination FROM disclosure d
        WHERE d.profile_id = ANY ($2::uuid[]) AND d.space_id = $1::int4 AND d.bucket = $3::int4 ORDER BY 1
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [DestinationNumber(id_) for (id_,) in found]


async def retired_ids(connection: Connection, tenant: Tenant) -> list[ProfileId]:
    """The ids that a rebuild left without a profile."""
    found = await rows(
        connection,
        """
        SELECT p.profile_id FROM profile p
        WHERE p.head = '00000000-0000-0000-0000-000000000000' AND p.head <> p.profile_id
          AND p.space_id = $1::int4 AND p.bucket = $2::int4
        """,
        tenant.id,
        tenant.base,
    )
    return [ProfileId(bytes(id_)) for (id_,) in found]


async def put_on_hold(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> None:
    """Hide profiles from every reader."""
    await connection.execute(
        """
        UPDATE profile p SET withheld = true, version = p.version + 1
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id + 0 = $1::int4 AND p.bucket + 0 = $3::int4
        """,
        [tenant.id, uuids(origins), tenant.base],
    )


async def profiles_on_hold(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> set[ProfileId]:
    """Which of these profiles are on hold."""
    found = await rows(
        connection,
        """
        SELECT p.profile_id FROM profile p
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id + 0 = $1::int4 AND p.bucket + 0 = $3::int4 AND p.withheld
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return {ProfileId(bytes(id_)) for (id_,) in found}


async def take_off_hold(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> None:
    """Show profiles again that were on hold."""
    await connection.execute(
        """
        UPDATE profile p SET withheld = false, version = p.version + 1
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id + 0 = $1::int4 AND p.bucket + 0 = $3::int4 AND p.withheld
        """,
        [tenant.id, uuids(origins), tenant.base],
    )


async def destroy_key(connection: Connection, tenant: Tenant, id_: SubjectId) -> None:
    """Destroy a subject key that belongs to no origin, such as that of an erasure."""
    await connection.execute(
        """
        UPDATE slot_key SET touched = true WHERE space_id = $1::int4 AND slot = (
            SELECT s.slot FROM subject_key s WHERE s.profile_id = $2 AND s.space_id = $1::int4 AND s.bucket = $3::int4
        )
        """,
        [tenant.id, Uuid(id_), tenant.base],
    )
    await connection.execute(
        "DELETE FROM subject_key WHERE profile_id = $2 AND space_id = $1::int4 AND bucket = $3::int4",
        [tenant.id, Uuid(id_), tenant.base],
    )


async def erasures_on_hold(connection: Connection, tenant: Tenant, erasures: Sequence[ErasureId]) -> set[ErasureId]:
    """Which of these erasures have an identifier of a profile on hold."""
    found = await rows(
        connection,
        """
        SELECT e.erasure_id FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM erasure t
            WHERE t.erasure_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) e
        CROSS JOIN LATERAL (
            SELECT t.* FROM identifier t WHERE t.key = e.key AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) i
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = i.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) p
        WHERE p.withheld
        """,
        tenant.id,
        uuids(erasures),
        tenant.base,
    )
    return {ErasureId(bytes(id_)) for (id_,) in found}
