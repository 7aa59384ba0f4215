"""Spaces and API keys: the control plane, a few rows read by name.

The space lock, the ledger and the lanes of a space are created with it in one transaction, so no other code asks
whether they exist.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from identity.store.postgres import space_lock
from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import BUCKETS
from identity.values.errors import KeyNotFound, SpaceNotFound
from identity.values.ids import SpaceNumber
from identity.values.stamps import Stamp

LANES = 4


class SpaceRow(NamedTuple):
    """A space; `public_id` is 16 bytes."""

    id: SpaceNumber
    public_id: bytes
    name: str
    bucket_base: int
    spread: int
    created_at: datetime


class ApiKeyRow(NamedTuple):
    """An API key without its secret."""

    id: int
    public_id: str
    space_id: SpaceNumber
    name: str
    scopes: list[str]
    created_at: datetime


async def create_space(connection: Connection, public_id: bytes, name: str, stamp: Stamp) -> SpaceRow:
    """Add a space with its lock and lanes, in the transaction of the caller."""
    base = int.from_bytes(public_id[-2:], "big") % BUCKETS
    made = await row(
        connection,
        """
        INSERT INTO space (public_id, name, bucket_base) VALUES ($1, $2, $3::int4)
        RETURNING id, public_id, name, bucket_base, spread, created_at
        """,
        Uuid(public_id),
        name,
        base,
    )
    if made is None:
        raise SpaceNotFound
    space = SpaceRow(*made)
    await space_lock.create(connection, space.id, stamp)
    await connection.execute("INSERT INTO ledger_head (space_id, bucket) VALUES ($1::int4, $2::int4)", [space.id, base])
    await connection.execute(
        """
        INSERT INTO lane_head (space_id, lane, bucket)
        SELECT $1::int4, lane, $2::int4 FROM generate_series(0, $3::int4) AS lane
        """,
        [space.id, base, LANES - 1],
    )
    return space


async def find_space(connection: Connection, space_id: SpaceNumber) -> SpaceRow:
    """A space by its number. SpaceNotFound if there is none, or it was deleted."""
    found = await row(
        connection,
        """
        SELECT id, public_id, name, bucket_base, spread, created_at FROM space
        WHERE id = $1::int4 AND deleted_at IS NULL
        """,
        space_id,
    )
    if found is None:
        raise SpaceNotFound
    return SpaceRow(*found)


async def find_public_space(connection: Connection, public_id: bytes) -> SpaceRow:
    """A space by its public id. SpaceNotFound if there is none, or it was deleted."""
    found = await row(
        connection,
        """
        SELECT id, public_id, name, bucket_base, spread, created_at FROM space
        WHERE public_id = $1 AND deleted_at IS NULL
        """,
        Uuid(public_id),
    )
    if found is None:
        raise SpaceNotFound
    return SpaceRow(*found)


async def list_spaces(connection: Connection) -> list[SpaceRow]:
    """All spaces, oldest first."""
    found = await rows(
        connection,
        """
        SELECT id, public_id, name, bucket_base, spread, created_at FROM space
        WHERE deleted_at IS NULL ORDER BY id
        """,
    )
    return [SpaceRow(*item) for item in found]


async def delete_space(connection: Connection, space_id: SpaceNumber) -> None:
    """Close a space: delete its keys and its lock, so no writer can enter."""
    await space_lock.delete(connection, space_id)
    await connection.execute("DELETE FROM api_key WHERE space_id = $1::int4", [space_id])
    await connection.execute("UPDATE space SET deleted_at = now() WHERE id = $1::int4", [space_id])


async def create_key(
    connection: Connection, space_id: SpaceNumber, public_id: str, name: str, scopes: Sequence[str], secret_hash: bytes
) -> ApiKeyRow:
    """Add an API key to a space. SpaceNotFound where the space was deleted meanwhile."""
    await space_lock.share(connection, space_id)
    made = await row(
        connection,
        """
        INSERT INTO api_key (space_id, public_id, name, scopes, secret_hash)
        VALUES ($1::int4, $2::text, $3::text, $4::text[], $5::bytea)
        RETURNING id, public_id, space_id, name, scopes, created_at
        """,
        space_id,
        public_id,
        name,
        list(scopes),
        secret_hash,
    )
    if made is None:
        raise SpaceNotFound
    return ApiKeyRow(*made)


async def find_keys(connection: Connection, public_ids: Sequence[str]) -> dict[str, tuple[ApiKeyRow, bytes]]:
    """The live keys of live spaces among these, with the hashes of their secrets."""
    found = await rows(
        connection,
        """
        SELECT k.id, k.public_id, k.space_id, k.name, k.scopes, k.created_at, k.secret_hash
        FROM api_key k JOIN space s ON s.id = k.space_id
        WHERE k.public_id = ANY ($1::text[]) AND k.revoked_at IS NULL AND s.deleted_at IS NULL
        """,
        list(public_ids),
    )
    return {item[1]: (ApiKeyRow(*item[:-1]), item[-1]) for item in found}


async def list_keys(connection: Connection, space_id: SpaceNumber) -> list[ApiKeyRow]:
    """The live keys of a space, oldest first."""
    found = await rows(
        connection,
        """
        SELECT id, public_id, space_id, name, scopes, created_at FROM api_key
        WHERE space_id = $1::int4 AND revoked_at IS NULL ORDER BY id
        """,
        space_id,
    )
    return [ApiKeyRow(*item) for item in found]


async def key_ids(connection: Connection, space_id: SpaceNumber) -> dict[int, str]:
    """The public ids of all keys of a space by number, revoked ones included."""
    found = await rows(connection, "SELECT id, public_id FROM api_key WHERE space_id = $1::int4", space_id)
    return {int(number): str(public_id) for number, public_id in found}


async def revoke_key(connection: Connection, space_id: SpaceNumber, public_id: str) -> None:
    """Revoke a key of this space. KeyNotFound."""
    found = await row(
        connection,
        """
        UPDATE api_key SET revoked_at = now()
        WHERE space_id = $1::int4 AND public_id = $2 AND revoked_at IS NULL RETURNING id
        """,
        space_id,
        public_id,
    )
    if found is None:
        raise KeyNotFound


async def replay_revocation(connection: Connection, space_id: SpaceNumber, public_id: str) -> None:
    """Revoke a key again in a restored database; no error where there is none."""
    await connection.execute(
        """
        UPDATE api_key SET revoked_at = now() WHERE space_id = $1::int4 AND public_id = $2 AND revoked_at IS NULL
        """,
        [space_id, public_id],
    )
