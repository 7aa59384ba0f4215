"""The suppression list as rows: keyed hashes, for good or up to the moment of an erasure."""

from collections.abc import Sequence

from identity.store.postgres.arrays import byteas, int2s
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.predicates import erasure_waiting
from identity.store.postgres.tenant import Tenant
from identity.values.enums import SUPPRESSES, ErasureState, RequestKind
from identity.values.stamps import Micros


async def delete_expired(connection: Connection, before: Micros) -> None:
    """Delete entries of erased but not suppressed identifiers from before a time: no call is that late."""
    await connection.execute("DELETE FROM suppression WHERE NOT whole AND until < $1::int8", [before])


async def lift(connection: Connection, tenant: Tenant, hashes: Sequence[bytes]) -> int:
    """End suppressions; calls from before an erasure stay out. Returns how many there were."""
    done = await connection.execute(
        """
        UPDATE suppression s SET whole = false
        WHERE s.key = ANY ($2::bytea[]) AND s.space_id = $1::int4 AND s.bucket = $3::int4 AND s.whole
        """,
        [tenant.id, byteas(hashes), tenant.base],
    )
    await connection.execute(
        """
        DELETE FROM suppression s
        WHERE s.key = ANY ($2::bytea[]) AND s.space_id = $1::int4 AND s.bucket = $3::int4
          AND NOT s.whole AND s.until IS NULL
        """,
        [tenant.id, byteas(hashes), tenant.base],
    )
    return done.rowcount


async def listed(connection: Connection, tenant: Tenant, hashes: Sequence[bytes]) -> set[bytes]:
    """Which of these hashes are suppressed for good."""
    found = await rows(
        connection,
        """
        SELECT s.key FROM unnest($2::bytea[]) AS k (key)
        JOIN suppression s ON s.key = k.key AND s.space_id = $1::int4 AND s.bucket = $3::int4
        WHERE s.whole
        """,
        tenant.id,
        byteas(hashes),
        tenant.base,
    )
    return {bytes(key) for (key,) in found}


async def all_suppressed(connection: Connection, tenant: Tenant) -> set[bytes]:
    """Every hash that is suppressed for good."""
    found = await rows(
        connection,
        "SELECT key FROM suppression WHERE space_id = $1::int4 AND bucket = $2::int4 AND whole",
        tenant.id,
        tenant.base,
    )
    return {bytes(key) for (key,) in found}


async def requested(connection: Connection, tenant: Tenant, hashes: Sequence[bytes]) -> set[bytes]:
    """Which of these identifiers were suppressed by a request, and not unsuppressed since."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT ON (e.hash) e.hash, e.kind FROM unnest($2::bytea[]) AS k (hash)
        CROSS JOIN LATERAL (
            SELECT t.* FROM erasure t
            WHERE t.hash = k.hash AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $3::int4 OFFSET 0
        ) e
        WHERE e.state = $4::int2 AND e.kind = ANY ($5::int2[])
        ORDER BY e.hash, e.internal_at DESC
        """,
        tenant.id,
        byteas(hashes),
        tenant.base,
        ErasureState.FINISHED.value,
        int2s((*SUPPRESSES, RequestKind.UNSUPPRESS)),
    )
    return {bytes(hash_) for hash_, kind in found if kind != RequestKind.UNSUPPRESS}


async def any_requested_later(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> bool:
    """Whether an erasure of one of these identifiers waits that is going to suppress the identifiers of its person."""
    found = await row(
        connection,
        f"""
        SELECT 1 FROM erasure e
        WHERE e.key = ANY ($2::bytea[]) AND e.space_id + 0 = $1::int4 AND e.bucket + 0 = $3::int4
          AND {erasure_waiting("e.")} AND e.kind = ANY ($4::int2[]) LIMIT 1
        """,  # noqa: S608 (a condition)
        tenant.id,
        byteas(keys),
        tenant.base,
        int2s(sorted(SUPPRESSES)),
    )
    return found is not None


async def ages(connection: Connection, tenant: Tenant, now: Micros) -> tuple[list[int], int]:
    """The age in whole days of each suppression, and how many identifiers were only erased."""
    found = await row(
        connection,
        """
        SELECT coalesce(array_agg((($3::int8 / 1000000 - extract(epoch FROM created_at)) / 86400)::int4)
                        FILTER (WHERE whole), '{}'), count(*) FILTER (WHERE NOT whole)
        FROM suppression WHERE space_id = $1::int4 AND bucket = $2::int4
        """,
        tenant.id,
        tenant.base,
        now,
    )
    return ([], 0) if found is None else (list(found[0]), int(found[1]))
