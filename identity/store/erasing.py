"""Takes a whole person away: every row at the origins of a canonical profile, and what names them.

Under the gate held alone, so nothing is added meanwhile. Whatever survives (the suppression list,
what was forgotten, the ledger, an erasure row) holds keyed hashes and ids of what is gone. The order
of statements is that of locks: slots before subject keys, so a roll is waited for or waits.
"""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from identity.store import statements as sql
from identity.store.arrays import Uuid, byteas, int4, uuids
from identity.store.database import Connection, row, rows
from identity.store.tenant import Tenant
from identity.store.wire import Step, WireConnection, run

# What lies at an origin and is found by its id alone; the first only marks slots.
_LIFTED: Final = (None, "profile_document", "sighting", "evidence", "event", "history", "subject_key")
_IDENTIFIERS: LiteralString = """
DELETE FROM identifier i USING profile_identifier r, unnest($2::uuid[], $3::int4[]) AS u (id, bucket)
WHERE r.profile_id = u.id AND r.space_id = $1::int4 AND r.bucket = u.bucket
  AND i.key = r.key AND i.space_id = $1::int4
"""
_CUTS: LiteralString = """
DELETE FROM cut c USING unnest($2::bytea[], $3::int4[]) AS u (key, bucket)
WHERE c.key = u.key AND c.space_id = $1::int4 AND c.bucket = u.bucket
"""
_MEMBERSHIPS: LiteralString = """
DELETE FROM membership m USING unnest($2::bytea[], $3::int4[]) AS g (key, bucket)
WHERE m.group_key = g.key AND m.space_id = $1::int4 AND m.bucket = g.bucket AND m.profile_id = ANY ($4::uuid[])
"""


def _of_profiles(table: LiteralString) -> LiteralString:
    return f"""
        DELETE FROM {table} t USING unnest($2::uuid[], $3::int4[]) AS u (id, bucket)
        WHERE t.profile_id = u.id AND t.space_id = $1::int4 AND t.bucket = u.bucket
    """  # noqa: S608 (names of tables)


async def wipe(
    connection: WireConnection, tenant: Tenant, ids: Sequence[bytes], keys: Sequence[bytes], groups: Sequence[bytes]
) -> dict[str, int]:
    """Deletes the profiles `ids`, whose identifiers are `keys` and groups `groups`; rows per table."""
    space, profiles = int4(tenant.id), (uuids(ids), tenant.buckets(ids))
    named = (byteas(keys), tenant.buckets(keys))
    tables = ["identifier", "profile_identifier", "cut", "membership", *_LIFTED, "disclosure", "profile"]
    steps = [
        Step(_IDENTIFIERS, [space, *profiles]),
        Step(_of_profiles("profile_identifier"), [space, *profiles]),
        Step(_CUTS, [space, *named]),
        Step(_MEMBERSHIPS, [space, byteas(groups), tenant.buckets(groups), uuids(ids)]),
        *(Step(statement, [space, *profiles]) for statement in sql.LIFT),
        Step(_of_profiles("disclosure"), [space, *profiles]),
        Step(_of_profiles("profile"), [space, *profiles]),
    ]
    results = await run(connection, *steps)
    counted = {table: result.touched for table, result in zip(tables, results, strict=True) if table is not None}
    return {table: count for table, count in counted.items() if count}


async def told(connection: Connection, tenant: Tenant, ids: Sequence[bytes]) -> list[int]:
    """The destinations that were told of these origins."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT d.destination FROM disclosure d
        WHERE d.profile_id = ANY ($2::uuid[]) AND d.space_id = $1::int4 AND d.bucket = $3::int4 ORDER BY 1
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    return [int(id_) for (id_,) in found]


async def owners(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """Which origins these identifiers lie at."""
    found = await rows(
        connection,
        """
        SELECT i.key, i.profile_id FROM unnest($2::bytea[]) AS k (key)
        JOIN identifier i ON i.key = k.key AND i.space_id = $1::int4 AND i.bucket = $3::int4
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return {bytes(key): bytes(origin) for key, origin in found}


async def withhold(connection: Connection, tenant: Tenant, ids: Sequence[bytes]) -> None:
    """Profiles that nobody may read any more, though they are still there."""
    await connection.execute(
        """
        UPDATE profile p SET withheld = true, version = p.version + 1
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $3::int4
        """,
        [tenant.id, uuids(ids), tenant.base],
    )


async def forget_key(connection: Connection, tenant: Tenant, id_: bytes) -> None:
    """Destroys a subject key that is nobody's origin: an erasure's own, once everybody was told."""
    await connection.execute(
        """
        UPDATE slot_key w SET touched = true FROM subject_key s
        WHERE s.profile_id = $2 AND s.space_id = $1::int4 AND s.bucket = $3::int4
          AND w.slot = s.slot AND w.space_id = $1::int4
        """,
        [tenant.id, Uuid(id_), tenant.base],
    )
    await connection.execute(
        "DELETE FROM subject_key WHERE profile_id = $2 AND space_id = $1::int4 AND bucket = $3::int4",
        [tenant.id, Uuid(id_), tenant.base],
    )


async def forget_late(connection: Connection, before: int) -> None:
    """Forgets who was erased before a moment and is not suppressed: nothing comes in that late."""
    await connection.execute("DELETE FROM suppression WHERE NOT whole AND until < $1::int8", [before])


async def replay_erasure(connection: WireConnection, tenant: Tenant, entry: dict[str, Any]) -> None:
    """Does again what an entry of the ledger says was erased, in a database that is older than that.

    An origin goes that bears its id, its key or one of the identifiers. Who was parted from it inside
    one origin in the meantime is in an older database one with it, and goes with it.
    """
    keys = [bytes.fromhex(key) for key in entry["indexes"]]
    found = await rows(
        connection,
        """
        SELECT p.profile_id FROM profile p
        WHERE p.profile_id = ANY ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $5::int4
        UNION SELECT s.profile_id FROM subject_key s
        WHERE s.profile_id = ANY ($2::uuid[]) AND s.space_id = $1::int4 AND s.bucket = $5::int4
           OR s.key_id = ANY ($3::uuid[]) AND s.space_id = $1::int4 AND s.bucket = $5::int4
        UNION SELECT i.profile_id FROM unnest($4::bytea[]) AS k (key)
        JOIN identifier i ON i.key = k.key AND i.space_id = $1::int4 AND i.bucket = $5::int4
        """,
        tenant.id,
        uuids([bytes.fromhex(id_) for id_ in entry["profiles"]]),
        uuids([bytes.fromhex(id_) for id_ in entry["keys"]]),
        byteas(keys),
        tenant.base,
    )
    await _remove(connection, tenant, [bytes(id_) for (id_,) in found], keys)
    await _mark(connection, tenant, entry, keys, entry["at"], int(entry["stamp"]))


async def remove_unreadable(connection: WireConnection, tenant: Tenant, ids: Sequence[bytes]) -> int:
    """Takes away origins that no key opens any more, with all that names them; how many there were."""
    named = await rows(
        connection,
        """
        SELECT i.key FROM profile_identifier i
        WHERE i.profile_id = ANY ($2::uuid[]) AND i.space_id = $1::int4 AND i.bucket = $3::int4
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    if ids:
        await _remove(connection, tenant, ids, [bytes(key) for (key,) in named])
    return len(ids)


async def replay_suppression(connection: WireConnection, tenant: Tenant, entry: dict[str, Any]) -> None:
    """Does again what an entry of the ledger says was suppressed."""
    await _mark(connection, tenant, {**entry, "whole": True}, [], None, 0)


async def replay_lift(connection: WireConnection, tenant: Tenant, entry: dict[str, Any]) -> None:
    """Does again what an entry of the ledger says was lifted."""
    await lift(connection, tenant, [bytes.fromhex(hash_) for hash_ in entry["hashes"]])


async def lift(connection: Connection, tenant: Tenant, hashes: Sequence[bytes]) -> int:
    """Ends suppressions; what came before an erasure stays out. How many there were."""
    done = await connection.execute(
        """
        UPDATE suppression s SET whole = false FROM unnest($2::bytea[]) AS k (key)
        WHERE s.key = k.key AND s.space_id = $1::int4 AND s.bucket = $3::int4 AND s.whole
        """,
        [tenant.id, byteas(hashes), tenant.base],
    )
    await connection.execute(
        """
        DELETE FROM suppression s USING unnest($2::bytea[]) AS k (key)
        WHERE s.key = k.key AND s.space_id = $1::int4 AND s.bucket = $3::int4 AND NOT s.whole AND s.until IS NULL
        """,
        [tenant.id, byteas(hashes), tenant.base],
    )
    return done.rowcount


async def ages(connection: Connection, tenant: Tenant, now: int) -> tuple[list[int], int]:
    """For how many whole days each suppressed identifier is; and how many were erased without that."""
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


async def _remove(connection: WireConnection, tenant: Tenant, found: Sequence[bytes], keys: Sequence[bytes]) -> None:
    """Wipes origins, and lets those stand alone that were one profile with them."""
    ids = await _followers(connection, tenant, found)
    groups = await rows(
        connection,
        """
        SELECT DISTINCT group_key FROM membership
        WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4 AND bucket = $3::int4
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    await _set_free(connection, tenant, ids)
    await wipe(connection, tenant, ids, keys, [bytes(key) for (key,) in groups])


async def _followers(connection: Connection, tenant: Tenant, ids: Sequence[bytes]) -> list[bytes]:
    """These ids with those that have nothing of their own and only lead to one of them."""
    found = await rows(
        connection,
        """
        SELECT p.profile_id FROM profile p
        WHERE p.head = ANY ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $3::int4
          AND NOT EXISTS (SELECT FROM subject_key s WHERE s.profile_id = p.profile_id
                          AND s.space_id = $1::int4 AND s.bucket = $3::int4)
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    return sorted({*ids, *(bytes(id_) for (id_,) in found)})


async def _set_free(connection: Connection, tenant: Tenant, ids: Sequence[bytes]) -> None:
    """Lets origins stand alone that were one profile with these then, and are not to go with them."""
    await connection.execute(
        """
        UPDATE profile p SET head = p.profile_id, canonical = p.profile_id, elder = p.born, joined_to = NULL,
               joined_at = NULL, folded = NULL, version = p.version + 1
        WHERE p.profile_id <> ALL ($2::uuid[]) AND p.space_id = $1::int4 AND p.bucket = $3::int4 AND p.head IN (
            SELECT m.head FROM profile m
            WHERE m.profile_id = ANY ($2::uuid[]) AND m.space_id = $1::int4 AND m.bucket = $3::int4
        )
        """,
        [tenant.id, uuids(ids), tenant.base],
    )


async def _mark(
    connection: WireConnection,
    tenant: Tenant,
    entry: dict[str, Any],
    keys: Sequence[bytes],
    until: int | None,
    stamp: int,
) -> None:
    """Writes again who is suppressed, and which identifiers a rebuild passes over."""
    hashes = [bytes.fromhex(hash_) for hash_ in entry["hashes"]]
    await connection.execute(
        """
        INSERT INTO suppression (key, space_id, bucket, whole, until)
        SELECT k.key, $1::int4, $2::int4, $4::bool, $5::int8 FROM unnest($3::bytea[]) AS k (key)
        ON CONFLICT (key, space_id, bucket) DO UPDATE
        SET whole = suppression.whole OR excluded.whole, until = greatest(suppression.until, excluded.until)
        """,
        [tenant.id, tenant.base, byteas(hashes), bool(entry["whole"]), until],
    )
    await connection.execute(
        """
        INSERT INTO forgotten (key, space_id, bucket, until)
        SELECT k.key, $1::int4, $2::int4, $4::int8 FROM unnest($3::bytea[]) AS k (key)
        ON CONFLICT (key, space_id, bucket) DO UPDATE SET until = greatest(forgotten.until, excluded.until)
        """,
        [tenant.id, tenant.base, byteas(keys), stamp],
    )
