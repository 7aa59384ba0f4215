"""Removes the rows of spaces that were deleted. Their keys are gone already: nobody can read them.

A few statements a step, so that no step holds anything for long.
"""

from typing import LiteralString

from identity.store.database import Connection, row

# Found by their profiles, in steps; then what hangs on no profile, which is small or soon gone.
_BY_PROFILE: tuple[LiteralString, ...] = (
    """DELETE FROM identifier i USING profile_identifier r
       WHERE r.profile_id = ANY ($2::uuid[]) AND r.space_id = $1::int4
         AND i.key = r.key AND i.space_id = $1::int4""",
    "DELETE FROM profile_identifier WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
    "DELETE FROM profile_document WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
    "DELETE FROM subject_key WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
    "DELETE FROM sighting WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
    "DELETE FROM history WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
    "DELETE FROM evidence WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
    "DELETE FROM event WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
    "DELETE FROM profile WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4",
)
_BY_SPACE: tuple[LiteralString, ...] = (
    "DELETE FROM membership WHERE space_id = $1::int4",
    "DELETE FROM account WHERE space_id = $1::int4",
    "DELETE FROM subject_key WHERE space_id = $1::int4",
    "DELETE FROM message WHERE space_id = $1::int4",
    "DELETE FROM cut WHERE space_id = $1::int4",
    "DELETE FROM suppression WHERE space_id = $1::int4",
    "DELETE FROM blocked_key WHERE space_id = $1::int4",
    "DELETE FROM change WHERE space_id = $1::int4",
    "DELETE FROM lane_head WHERE space_id = $1::int4",
    "DELETE FROM slot_key WHERE space_id = $1::int4",
    "DELETE FROM identifier_type WHERE space_id = $1::int4",
    "DELETE FROM rules WHERE space_id = $1::int4",
    "DELETE FROM space WHERE id = $1::int4",
)
STEP = 500


async def step(connection: Connection) -> int | None:
    """Removes up to STEP profiles of one deleted space; None when there is nothing left to do."""
    space = await row(
        connection,
        "SELECT id FROM space WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    if space is None:
        return None
    found = await connection.execute(
        "SELECT profile_id::text FROM profile WHERE space_id = $1::int4 LIMIT $2::int4", [space[0], STEP]
    )
    ids = [id_ for (id_,) in await found.fetchall()]
    if ids:
        for statement in _BY_PROFILE:
            await connection.execute(statement, [space[0], ids])
    else:
        for statement in _BY_SPACE:
            await connection.execute(statement, [space[0]])
    return len(ids)
