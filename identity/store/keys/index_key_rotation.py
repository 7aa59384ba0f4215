"""The state of an index key rotation: versions in the space lock, and hashes without a new key.

The versions never go back. While a hash without a new key is in use, the older index key is needed to look it up.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import byteas, int2s
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.predicates import erasure_waiting
from identity.store.postgres.rows import EvidenceRow
from identity.store.postgres.tenant import Tenant
from identity.store.profiles import evidence
from identity.values.calls import IndexVersions
from identity.values.ids import ProfileId, SpaceNumber
from identity.values.stamps import Stamp

# What a hash is kept of and nothing else: while one of these is in use, so is the key it was made with.
_IN_USE: LiteralString = f"""
    EXISTS (SELECT FROM cut t WHERE t.key = r.old AND t.space_id = $1::int4 AND t.bucket = $2::int4)
    OR EXISTS (SELECT FROM blocked_key t WHERE t.key = r.old AND t.space_id = $1::int4 AND t.bucket = $2::int4)
    OR EXISTS (SELECT FROM forgotten t WHERE t.key = r.old AND t.space_id = $1::int4 AND t.bucket = $2::int4)
    OR EXISTS (SELECT FROM held_key t WHERE t.key = r.old AND t.space_id = $1::int4 AND t.bucket = $2::int4)
    OR EXISTS (SELECT FROM erasure t WHERE t.key = r.old AND {erasure_waiting("t.")}
               AND t.space_id = $1::int4 AND t.bucket = $2::int4)
"""  # noqa: S608 (a condition)


async def begin(
    connection: Connection, space_id: SpaceNumber, names: Sequence[tuple[int, bytes]], stamp: Stamp
) -> bool:
    """Put the next version of the index key in force, under the exclusive space lock; False where none was due.

    `names` are the (number, new key) of the identifier types, which change at once. Identifiers that are stored only
    as a hash are listed, so that the end of their use is noticed.
    """
    found = await row(
        connection,
        """
        UPDATE space_gate SET index_version = index_version + 1, index_at = $2::int8
        WHERE space_id = $1::int4 AND index_live = index_version RETURNING index_version
        """,
        space_id,
        stamp,
    )
    if found is None:
        return False
    await connection.execute(
        """
        UPDATE identifier_type t SET name_key = u.key FROM unnest($2::int2[], $3::bytea[]) AS u (code, key)
        WHERE t.space_id = $1::int4 AND t.code = u.code
        """,
        [space_id, int2s([code for code, _ in names]), byteas([key for _, key in names])],
    )
    await connection.execute(
        f"""
        INSERT INTO renamed_key (old, space_id, bucket)
        SELECT key, space_id, bucket FROM cut WHERE space_id = $1::int4
        UNION SELECT key, space_id, bucket FROM blocked_key WHERE space_id = $1::int4
        UNION SELECT key, space_id, bucket FROM forgotten WHERE space_id = $1::int4
        UNION SELECT key, space_id, bucket FROM held_key WHERE space_id = $1::int4
        UNION SELECT key, space_id, bucket FROM erasure WHERE space_id = $1::int4 AND {erasure_waiting()}
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 (a condition)
        [space_id],
    )
    return True


class HistoryKeysRow(NamedTuple):
    """The identifiers of one line of history."""

    profile: ProfileId
    stamp: Stamp
    seq: int
    keys: bytes


async def correction_rows(
    connection: Connection, tenant: Tenant, kind: int, line: int
) -> tuple[list[EvidenceRow], list[HistoryKeysRow]]:
    """The corrections of a kind, and the lines of history of a kind: there are few of both."""
    await connection.execute("SET LOCAL enable_seqscan = on")
    history = await rows(
        connection,
        """
        SELECT profile_id, stamp, seq, keys FROM history
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND kind = $3::int2
        """,
        tenant.id,
        tenant.base,
        line,
    )
    return await evidence.by_kinds(connection, tenant, [kind]), [HistoryKeysRow(*each) for each in history]


async def end(connection: Connection, tenant: Tenant, version: int) -> bool:
    """End the rotation: look-ups use only this version from now on. False where that was so before."""
    found = await row(
        connection,
        """
        UPDATE space_gate SET index_live = index_version
        WHERE space_id = $1::int4 AND index_version = $2::int2 AND index_live < index_version RETURNING 1
        """,
        tenant.id,
        version,
    )
    if found is None:
        return False
    await connection.execute(
        """
        WITH known AS (SELECT old, new FROM renamed_key
                       WHERE new IS NOT NULL AND space_id = $1::int4 AND bucket = $2::int4)
        DELETE FROM renamed_key t USING known k
        WHERE t.old = k.old AND t.space_id = $1::int4 AND t.bucket = $2::int4
        """,
        [tenant.id, tenant.base],
    )
    return True


async def count_unresolved(connection: Connection, tenant: Tenant) -> int:
    """How many hashes under older versions are in use though their value is no longer known."""
    await connection.execute(
        f"""
        DELETE FROM renamed_key r
        WHERE r.new IS NULL AND r.space_id = $1::int4 AND r.bucket = $2::int4 AND NOT ({_IN_USE})
        """,  # noqa: S608 (a condition)
        [tenant.id, tenant.base],
    )
    found = await row(
        connection,
        "SELECT count(*) FROM renamed_key WHERE new IS NULL AND space_id = $1::int4 AND bucket = $2::int4",
        tenant.id,
        tenant.base,
    )
    return 0 if found is None else int(found[0])


async def forget_messages(connection: Connection, space_id: SpaceNumber, before: Stamp) -> None:
    """Mark message ids as under the newest version, where it is in force since before a stamp."""
    await connection.execute(
        """
        UPDATE space_gate SET index_messages = index_version
        WHERE space_id = $1::int4 AND index_messages < index_version AND index_at < $2::int8
        """,
        [space_id, before],
    )


async def close(connection: Connection, space_id: SpaceNumber) -> int | None:
    """Stop look-ups under older versions where none is needed; returns the oldest version left."""
    found = await row(
        connection,
        """
        UPDATE space_gate SET index_oldest = index_version
        WHERE space_id = $1::int4 AND index_live = index_version AND index_messages = index_version
        RETURNING index_oldest
        """,
        space_id,
    )
    return None if found is None else int(found[0])


async def in_force_since(connection: Connection, space_id: SpaceNumber) -> Stamp:
    """The stamp since which the newest version is in force."""
    found = await row(connection, "SELECT index_at FROM space_gate WHERE space_id = $1::int4", space_id)
    return Stamp(0 if found is None else found[0])


async def any_unresolved(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> bool:
    """Whether any of these keys is under an older version without a new key."""
    found = await row(
        connection,
        """
        SELECT 1 FROM renamed_key r
        WHERE r.old = ANY ($2::bytea[]) AND r.new IS NULL AND r.space_id = $1::int4 AND r.bucket = $3::int4
        LIMIT 1
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return found is not None


async def versions(connection: Connection) -> list[tuple[SpaceNumber, IndexVersions]]:
    """The versions of every space whose index key was ever rotated."""
    found = await rows(
        connection,
        """
        SELECT space_id, index_version, index_live, index_messages, index_oldest FROM space_gate
        WHERE index_version > 1
        """,
    )
    return [(SpaceNumber(space_id), IndexVersions(*each)) for space_id, *each in found]
