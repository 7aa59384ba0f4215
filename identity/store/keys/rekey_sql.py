"""Replaces blind indexes under an older index key by those under the newest.

Every write needs the exclusive space lock. A key is replaced in every table, and remembered until the rotation ends,
since rows of other profiles may hold it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, LiteralString, NamedTuple

from identity.store.postgres.arrays import byteas, int2s, int8s, uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.predicates import erasure_open
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex

_NAMES: LiteralString = "unnest($2::bytea[], $3::bytea[]) AS u (old, new)"
# Of one plan only: `ANY` looks up an index, and `+ 0` keeps the space out of every index.
_OLD: LiteralString = "t.key = ANY (ARRAY[u.old]) AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $4::int4"
# The tables that hold bare blind indexes, which belong to no profile: one statement for each. Where two older indexes
# become the same newest one, their two rows become one row.
HASHED: Final[tuple[LiteralString, ...]] = (
    f"""
    WITH gone AS (DELETE FROM cut t USING {_NAMES} WHERE {_OLD} RETURNING u.new, t.cut, t.side)
    INSERT INTO cut (key, space_id, bucket, cut, side) SELECT new, $1::int4, $4::int4, cut, side FROM gone
    ON CONFLICT DO NOTHING
    """,  # noqa: S608 (a list of parameters)
    f"""
    WITH gone AS (DELETE FROM blocked_key t USING {_NAMES}
                  WHERE {_OLD} RETURNING u.new, t.created_at)
    INSERT INTO blocked_key (key, space_id, bucket, created_at) SELECT new, $1::int4, $4::int4, created_at FROM gone
    ON CONFLICT DO NOTHING
    """,  # noqa: S608 (a list of parameters)
    f"""
    WITH gone AS (DELETE FROM forgotten t USING {_NAMES}
                  WHERE {_OLD} RETURNING u.new, t.until)
    INSERT INTO forgotten (key, space_id, bucket, until)
    SELECT new, $1::int4, $4::int4, max(until) FROM gone GROUP BY new
    ON CONFLICT (key, space_id, bucket) DO UPDATE SET until = greatest(forgotten.until, excluded.until)
    """,  # noqa: S608 (a list of parameters)
    f"""
    WITH gone AS (DELETE FROM held_key t USING {_NAMES}
                  WHERE {_OLD} RETURNING u.new, t.hold_id)
    INSERT INTO held_key (key, space_id, bucket, hold_id) SELECT new, $1::int4, $4::int4, hold_id FROM gone
    ON CONFLICT DO NOTHING
    """,  # noqa: S608 (a list of parameters)
    f"""
    UPDATE erasure t SET key = u.new FROM {_NAMES}
    WHERE {_OLD} AND {erasure_open("t.")}
    """,  # noqa: S608 (a list of parameters)
)
_GROUPED: Final[tuple[LiteralString, ...]] = tuple(
    f"""
    UPDATE {table} t SET {name} = u.new FROM {_NAMES}
    WHERE t.{name} = ANY (ARRAY[u.old]) AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $4::int4
    """  # noqa: S608 (names of a table and a column)
    for table, name in (("account", "key"), ("membership", "group_key"))
)


class RekeyedRows(NamedTuple):
    """The changed rows at the origins of some profiles, by key."""

    identifiers: Sequence[tuple[bytes, bytes, bytes, bytes]]
    """(origin, old key, new key, value sealed for the new one)"""
    counters: Sequence[tuple[bytes, bytes, bytes | None]]
    sightings: Sequence[tuple[bytes, bytes, bytes]]
    evidence: Sequence[tuple[bytes, int, bytes, bytes | None]]
    claims: Sequence[tuple[bytes, bytes, bytes, bytes]]
    """(origin, old key, new key, new id)"""
    history: Sequence[tuple[bytes, int, int, bytes]]


async def known_new_keys(
    connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex]
) -> dict[BlindIndex, BlindIndex]:
    """The new keys of these, where the rotation has found them."""
    found = await rows(
        connection,
        """
        SELECT r.old, r.new FROM renamed_key r
        WHERE r.old = ANY ($2::bytea[]) AND r.space_id = $1::int4 AND r.bucket = $3::int4 AND r.new IS NOT NULL
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return {BlindIndex(bytes(old)): BlindIndex(bytes(new)) for old, new in found}


async def rename_keys(
    connection: Connection, tenant: Tenant, older_to_newest: Mapping[BlindIndex, BlindIndex], *, remember: bool
) -> None:
    """Replace keys wherever they stand outside of profiles.

    Keys of a profile are remembered until the rotation ends; others are not needed any more.
    """
    if not older_to_newest:
        return
    where = [tenant.id, byteas(list(older_to_newest)), byteas(list(older_to_newest.values())), tenant.base]
    for statement in HASHED:
        await connection.execute(statement, where)
    if not remember:
        await connection.execute(
            """
            DELETE FROM renamed_key
            WHERE old = ANY ($2::bytea[]) AND new IS NULL AND space_id = $1::int4 AND bucket = $3::int4
            """,
            [tenant.id, byteas(list(older_to_newest)), tenant.base],
        )
        return
    await connection.execute(
        f"""
        INSERT INTO renamed_key (old, space_id, bucket, new) SELECT u.old, $1::int4, $4::int4, u.new FROM {_NAMES}
        ON CONFLICT (old, space_id, bucket) DO UPDATE SET new = excluded.new
        """,  # noqa: S608 (a list of parameters)
        where,
    )


async def rename_groups(connection: Connection, tenant: Tenant, older_to_newest: Mapping[bytes, bytes]) -> None:
    """Replace the keys of groups and of their memberships."""
    if older_to_newest:
        for statement in _GROUPED:
            await connection.execute(
                statement,
                [tenant.id, byteas(list(older_to_newest)), byteas(list(older_to_newest.values())), tenant.base],
            )


async def write(connection: Connection, tenant: Tenant, renamed: RekeyedRows) -> None:
    """Store the rows of origins under their new keys."""
    space, base = tenant.id, tenant.base
    if renamed.identifiers:
        origins, olds, news, values = (list(column) for column in zip(*renamed.identifiers, strict=True))
        await connection.execute(
            """
            UPDATE identifier t SET key = u.new FROM unnest($2::bytea[], $3::bytea[]) AS u (old, new)
            WHERE t.key = ANY (ARRAY[u.old]) AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $4::int4
            """,
            [space, byteas(olds), byteas(news), base],
        )
        await connection.execute(
            """
            UPDATE profile_identifier t SET key = u.new, value = u.value
            FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[]) AS u (origin, old, new, value)
            WHERE t.profile_id = ANY (ARRAY[u.origin]) AND t.key = u.old
              AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $6::int4
            """,
            [space, uuids(origins), byteas(olds), byteas(news), byteas(values), base],
        )
    if renamed.counters:
        ids, owns, folded = (list(column) for column in zip(*renamed.counters, strict=True))
        await connection.execute(
            """
            UPDATE profile t SET own = u.own, folded = u.folded
            FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS u (id, own, folded)
            WHERE t.profile_id = ANY (ARRAY[u.id]) AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $5::int4
            """,
            [space, uuids(ids), byteas(owns), byteas(folded), base],
        )
    if renamed.sightings:
        ids, before, after = (list(column) for column in zip(*renamed.sightings, strict=True))
        await connection.execute(
            """
            UPDATE sighting t SET set_key = u.new FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS u (id, old, new)
            WHERE t.profile_id = ANY (ARRAY[u.id]) AND t.set_key = u.old
              AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $5::int4
            """,
            [space, uuids(ids), uuids(before), uuids(after), base],
        )
    if renamed.evidence:
        ids, stamps, kept, demoted = (list(column) for column in zip(*renamed.evidence, strict=True))
        await connection.execute(
            """
            UPDATE evidence t SET kept = u.kept, demoted = u.demoted
            FROM unnest($2::uuid[], $3::int8[], $4::bytea[], $5::bytea[]) AS u (id, stamp, kept, demoted)
            WHERE t.profile_id = ANY (ARRAY[u.id]) AND t.stamp = u.stamp
              AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $6::int4
            """,
            [space, uuids(ids), int8s(stamps), byteas(kept), byteas(demoted), base],
        )
    if renamed.claims:
        origins, olds, news, join_ids = (list(column) for column in zip(*renamed.claims, strict=True))
        await connection.execute(
            """
            UPDATE claim t SET key = u.new, join_id = u.id
            FROM unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::uuid[]) AS u (origin, old, new, id)
            WHERE t.key = ANY (ARRAY[u.old]) AND t.profile_id = u.origin
              AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $6::int4
            """,
            [space, uuids(origins), byteas(olds), byteas(news), uuids(join_ids), base],
        )
    if renamed.history:
        ids, stamps, seqs, keys = (list(column) for column in zip(*renamed.history, strict=True))
        await connection.execute(
            """
            UPDATE history t SET keys = u.keys
            FROM unnest($2::uuid[], $3::int8[], $4::int2[], $5::bytea[]) AS u (id, stamp, seq, keys)
            WHERE t.profile_id = ANY (ARRAY[u.id]) AND t.stamp = u.stamp AND t.seq = u.seq
              AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $6::int4
            """,
            [space, uuids(ids), int8s(stamps), int2s(seqs), byteas(keys), base],
        )


async def groups_under_older_keys(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> list[bytes]:
    """Which of these older keys a group or a membership still has."""
    found = await rows(
        connection,
        """
        SELECT k.key FROM unnest($2::bytea[]) AS k (key)
        WHERE EXISTS (SELECT FROM account a
                      WHERE a.key = k.key AND a.space_id + 0 = $1::int4 AND a.bucket + 0 = $3::int4)
           OR EXISTS (SELECT FROM membership m
                      WHERE m.group_key = k.key AND m.space_id = $1::int4 AND m.bucket = $3::int4)
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return [bytes(key) for (key,) in found]
