"""Reads a whole space page by page, for operations that examine all of its evidence."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import byteas
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.rows import KeyRow
from identity.store.postgres.tenant import Tenant


async def list_origins(connection: Connection, tenant: Tenant, after: bytes, size: int) -> list[tuple[bytes, bytes]]:
    """The next origins of the space in the order of their ids, each with its head."""
    found = await rows(
        connection,
        """
        SELECT profile_id, head FROM profile
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND profile_id > $3::uuid
        ORDER BY profile_id LIMIT $4::int4
        """,
        tenant.id,
        tenant.base,
        after.hex(),
        size,
    )
    return [(id_, head) for id_, head in found]


async def count_origins(connection: Connection, tenant: Tenant) -> int:
    """How many origins the space has."""
    found = await row(
        connection,
        "SELECT count(*) FROM profile WHERE space_id = $1::int4 AND bucket = $2::int4",
        tenant.id,
        tenant.base,
    )
    return 0 if found is None else int(found[0])


class IdentifierValueRow(NamedTuple):
    """An identifier, sealed under its origin's key."""

    key: bytes
    type: int
    value: bytes


async def identifier_values(
    connection: Connection, tenant: Tenant, keys: Sequence[bytes]
) -> list[tuple[IdentifierValueRow, KeyRow]]:
    """These identifiers, as far as somebody has them who may be read, with the keys that open them."""
    found = await rows(
        connection,
        """
        SELECT i.key, r.type, r.value, s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM unnest($2::bytea[]) AS k (key)
        JOIN identifier i ON i.key = k.key AND i.space_id = $1::int4 AND i.bucket = $3::int4
        JOIN profile_identifier r
            ON r.profile_id = i.profile_id AND r.key = i.key AND r.space_id = $1::int4 AND r.bucket = $3::int4
        JOIN profile p ON p.profile_id = i.profile_id AND p.space_id = $1::int4 AND p.bucket = $3::int4
        JOIN subject_key s ON s.profile_id = i.profile_id AND s.space_id = $1::int4 AND s.bucket = $3::int4
        JOIN slot_key w ON w.space_id = $1::int4 AND w.slot = s.slot AND w.bucket = $3::int4
        WHERE NOT p.withheld
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return [(IdentifierValueRow(*each[:3]), KeyRow(*each[3:])) for each in found]
