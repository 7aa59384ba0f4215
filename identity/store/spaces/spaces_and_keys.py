"""Spaces and API keys: the control plane, a few rows read by name.

The space lock, the ledger and the lanes of a space are created with it in one transaction, so no other code asks
whether they exist.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from identity.store.postgres import space_lock
from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import BUCKETS
from identity.values.api_key_secrets import ApiKeyContent
from identity.values.errors import KeyNotFound, SpaceNotFound
from identity.values.ids import SpaceId, SpaceNumber
from identity.values.stamps import Stamp

LANES = 4


class SpaceRow(NamedTuple):
    """A space; `public_id` is 16 bytes. `rules_defaults` is the generation of defaults that its rules began with."""

    id: SpaceNumber
    public_id: SpaceId
    name: str
    bucket_base: int
    spread: int
    created_at: datetime
    rules_defaults: int


class ApiKeyRow(NamedTuple):
    """An API key without its secret."""

    id: int
    public_id: str
    space_id: SpaceNumber
    name: str
    scopes: list[str]
    created_at: datetime


class VouchedKeyRow(NamedTuple):
    """A live API key, the public id of its space (16 bytes), the hash of its secret, and the MAC of the row."""

    key: ApiKeyRow
    space: SpaceId
    secret_hash: bytes
    mac: bytes | None

    @property
    def content(self) -> ApiKeyContent:
        """What the MAC covers."""
        key = self.key
        return ApiKeyContent(
            number=key.id, public_id=key.public_id, name=key.name, scopes=key.scopes, secret_hash=self.secret_hash
        )


def bucket_of(public_id: SpaceId) -> int:
    """The first bucket of a space."""
    return int.from_bytes(public_id[-2:], "big") % BUCKETS


async def create_space(
    connection: Connection, public_id: SpaceId, name: str, stamp: Stamp, rules_defaults: int
) -> SpaceRow:
    """Add a space with its lock and lanes, in the transaction of the caller."""
    base = bucket_of(public_id)
    made = await row(
        connection,
        """
        INSERT INTO space (public_id, name, bucket_base, rules_defaults) VALUES ($1, $2, $3::int4, $4::int2)
        RETURNING id, public_id, name, bucket_base, spread, created_at, rules_defaults
        """,
        Uuid(public_id),
        name,
        base,
        rules_defaults,
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
        SELECT id, public_id, name, bucket_base, spread, created_at, rules_defaults FROM space
        WHERE id = $1::int4 AND deleted_at IS NULL
        """,
        space_id,
    )
    if found is None:
        raise SpaceNotFound
    return SpaceRow(*found)


async def find_public_space(connection: Connection, public_id: SpaceId) -> SpaceRow:
    """A space by its public id. SpaceNotFound if there is none, or it was deleted."""
    found = await row(
        connection,
        """
        SELECT id, public_id, name, bucket_base, spread, created_at, rules_defaults FROM space
        WHERE public_id = $1 AND deleted_at IS NULL
        """,
        Uuid(public_id),
    )
    if found is None:
        raise SpaceNotFound
    return SpaceRow(*found)


async def find_deleted_space(connection: Connection, public_id: SpaceId) -> SpaceRow:
    """A deleted space that is not purged yet, by its public id. SpaceNotFound."""
    for space in await list_deleted(connection):
        if space.public_id == public_id:
            return space
    raise SpaceNotFound


async def list_deleted(connection: Connection) -> list[SpaceRow]:
    """The deleted spaces that are not purged yet, oldest deletion first."""
    found = await rows(
        connection,
        """
        SELECT id, public_id, name, bucket_base, spread, created_at, rules_defaults FROM space
        WHERE deleted_at IS NOT NULL ORDER BY deleted_at, id
        """,
    )
    return [SpaceRow(*item) for item in found]


async def list_spaces(connection: Connection) -> list[SpaceRow]:
    """All spaces, oldest first."""
    found = await rows(
        connection,
        """
        SELECT id, public_id, name, bucket_base, spread, created_at, rules_defaults FROM space
        WHERE deleted_at IS NULL ORDER BY id
        """,
    )
    return [SpaceRow(*item) for item in found]


async def delete_space(connection: Connection, space_id: SpaceNumber) -> None:
    """Close a space: delete its keys and its lock, so no writer can enter."""
    await space_lock.delete(connection, space_id)
    await connection.execute("DELETE FROM api_key WHERE space_id = $1::int4", [space_id])
    await connection.execute("UPDATE space SET deleted_at = now() WHERE id = $1::int4", [space_id])


async def next_key_numbers(connection: Connection, count: int) -> list[int]:
    """Numbers for new API keys."""
    found = await rows(connection, "SELECT nextval('api_key_id_seq')::int8 FROM generate_series(1, $1::int4)", count)
    return [int(number) for (number,) in found]


async def add_keys(
    connection: Connection, space_id: SpaceNumber, contents: Sequence[ApiKeyContent], macs: Sequence[bytes]
) -> None:
    """Add API keys with the MACs of their rows. SpaceNotFound where the space was deleted meanwhile."""
    await space_lock.share(connection, space_id)
    # A scope has no blank, and a list of lists is no array of Postgres.
    await connection.execute(
        """
        INSERT INTO api_key (id, space_id, public_id, name, scopes, secret_hash, mac)
        SELECT id, $2::int4, public_id, name, string_to_array(scopes, ' '), secret_hash, mac
        FROM unnest($1::int4[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[])
            AS new (id, public_id, name, scopes, secret_hash, mac)
        """,
        [
            [content.number for content in contents],
            space_id,
            [content.public_id for content in contents],
            [content.name for content in contents],
            [" ".join(content.scopes) for content in contents],
            [content.secret_hash for content in contents],
            list(macs),
        ],
    )


async def find_keys(connection: Connection, public_ids: Sequence[str]) -> dict[str, VouchedKeyRow]:
    """The live keys of live spaces among these, by public id."""
    found = await rows(
        connection,
        """
        SELECT k.id, k.public_id, k.space_id, k.name, k.scopes, k.created_at, s.public_id, k.secret_hash, k.mac
        FROM api_key k JOIN space s ON s.id = k.space_id
        WHERE k.public_id = ANY ($1::text[]) AND k.revoked_at IS NULL AND s.deleted_at IS NULL
        """,
        list(public_ids),
    )
    return {item[1]: VouchedKeyRow(ApiKeyRow(*item[:6]), *item[6:]) for item in found}


async def live_keys(connection: Connection, space_id: SpaceNumber | None = None) -> list[VouchedKeyRow]:
    """The live keys of a space, or of all live spaces, oldest first."""
    found = await rows(
        connection,
        """
        SELECT k.id, k.public_id, k.space_id, k.name, k.scopes, k.created_at, s.public_id, k.secret_hash, k.mac
        FROM api_key k JOIN space s ON s.id = k.space_id
        WHERE ($1::int4 IS NULL OR k.space_id = $1::int4) AND k.revoked_at IS NULL AND s.deleted_at IS NULL
        ORDER BY k.id
        """,
        space_id,
    )
    return [VouchedKeyRow(ApiKeyRow(*item[:6]), *item[6:]) for item in found]


async def set_mac(connection: Connection, number: int, mac: bytes) -> None:
    """Give a live API key the MAC of its row, unless it has one."""
    await connection.execute(
        "UPDATE api_key SET mac = $2::bytea WHERE id = $1::int4 AND mac IS NULL AND revoked_at IS NULL", [number, mac]
    )


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


async def source_ids(connection: Connection, space_id: SpaceNumber) -> dict[int, str]:
    """The public ids of all keys of a space by number, revoked ones included."""
    found = await rows(connection, "SELECT id, public_id FROM api_key WHERE space_id = $1::int4", space_id)
    return {int(number): str(public_id) for number, public_id in found}


async def keys_with_scopes(connection: Connection, space_id: SpaceNumber, scopes: Collection[str]) -> frozenset[int]:
    """The numbers of the keys of a space with one of these scopes, revoked ones included."""
    found = await rows(
        connection, "SELECT id FROM api_key WHERE space_id = $1::int4 AND scopes && $2::text[]", space_id, list(scopes)
    )
    return frozenset(int(number) for (number,) in found)


async def revoke_key(connection: Connection, space_id: SpaceNumber, public_id: str) -> None:
    """Revoke a key of this space. KeyNotFound."""
    found = await row(
        connection,
        """
        UPDATE api_key SET revoked_at = now(), mac = NULL
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
        UPDATE api_key SET revoked_at = now(), mac = NULL
        WHERE space_id = $1::int4 AND public_id = $2 AND revoked_at IS NULL
        """,
        [space_id, public_id],
    )
