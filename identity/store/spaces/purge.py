"""Deletes the rows of deleted spaces, in steps, so that none holds locks for long.

The row of the space is deleted last: while it exists, any process can continue.
"""

from collections.abc import Collection
from typing import Final, LiteralString

from psycopg import sql

from identity.store.postgres.database import Connection, row
from identity.values.ids import SpaceNumber

_IDENTIFIERS: LiteralString = """
DELETE FROM identifier i USING profile_identifier r
WHERE r.profile_id = ANY ($2::uuid[]) AND r.space_id = $1::int4 AND i.key = r.key AND i.space_id = $1::int4
"""
_OF_PROFILES: tuple[LiteralString, ...] = (
    "profile_identifier",
    "profile_document",
    "subject_key",
    "sighting",
    "history",
    "evidence",
    "claim",
    "event",
    "disclosure",
    "profile",
)
_BY_PROFILE: tuple[LiteralString, ...] = (
    _IDENTIFIERS,
    *(
        f"DELETE FROM {table} WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4"  # noqa: S608 (names)
        for table in _OF_PROFILES
    ),
)
# The rows that belong to no profile, table by table. Their keys do not lead with the space, so each step reads
# an index of all spaces; that is why a step takes many rows.
_BY_SPACE: tuple[LiteralString, ...] = (
    "membership",
    "account",
    "subject_key",
    "message",
    "rejection",
    "cut",
    "suppression",
    "blocked_key",
    "forgotten",
    "renamed_key",
    "job",
    "erasure",
    "erasure_notice",
    "privacy_request",
    "hold",
    "held_key",
    "export",
    "export_part",
    "destination",
    "delivery",
    "callback",
    "purposes",
    "identity_keys",
    "change",
    "lane_head",
    "slot_key",
    "identifier_type",
    "rules",
    "api_key",
)
TABLES: Final = frozenset({"identifier", *_OF_PROFILES, *_BY_SPACE})
"""The tables that a purge empties."""
STEP = 500
ROWS = 20_000


async def next_deleted(connection: Connection, among: Collection[SpaceNumber]) -> SpaceNumber | None:
    """A deleted space among these that no other process is purging; None where there is none."""
    found = await row(
        connection,
        """
        SELECT id FROM space WHERE deleted_at IS NOT NULL AND id = ANY ($1::int4[])
        ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        list(among),
    )
    return None if found is None else SpaceNumber(int(found[0]))


async def step(connection: Connection, space_id: SpaceNumber) -> int:
    """Delete up to STEP profiles, or ROWS rows of one table; the space itself once all else is gone.

    Returns the number of deleted rows, 0 at the end.
    """
    await connection.execute("SET LOCAL statement_timeout = 0")
    found = await connection.execute(
        "SELECT profile_id::text FROM profile WHERE space_id = $1::int4 LIMIT $2::int4", [space_id, STEP]
    )
    ids = [id_ for (id_,) in await found.fetchall()]
    if ids:
        for statement in _BY_PROFILE:
            await connection.execute(statement, [space_id, ids])
        return len(ids)
    for table in _BY_SPACE:
        delete = sql.SQL(
            "DELETE FROM {0} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {0} WHERE space_id = $1::int4 LIMIT $2::int4))"
        ).format(sql.Identifier(table))
        gone = await connection.execute(delete, [space_id, ROWS])
        if gone.rowcount:
            return gone.rowcount
    await connection.execute("DELETE FROM space WHERE id = $1::int4", [space_id])
    return 0
