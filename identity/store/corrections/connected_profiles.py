"""Reads a whole space page by page, for operations that examine all of its evidence."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import byteas
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.rows import KeyRow
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex, ProfileId


async def list_origins(
    connection: Connection, tenant: Tenant, after: ProfileId, size: int
) -> list[tuple[ProfileId, ProfileId]]:
    """The next origins of the space in the order of their ids, each with its root."""
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
    return [(id_, root) for id_, root in found]


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

    key: BlindIndex
    type: int
    value: bytes


async def identifier_values(
    connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex]
) -> list[tuple[IdentifierValueRow, KeyRow]]:
    """These identifiers, as far as somebody has them who may be read, with the keys that open them."""
    found = await rows(
        connection,
        """
        SELECT i.key, r.type, r.value, s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM unnest($2::bytea[]) AS k (key)
        CROSS JOIN LATERAL (
            SELECT t.* FROM identifier t
            WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) i
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile_identifier t
            WHERE t.profile_id = i.profile_id AND t.key = i.key AND t.space_id = $1::int4 AND t.bucket = $3::int4
            OFFSET 0
        ) r
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = i.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) p
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = i.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.* FROM slot_key t
            WHERE t.slot = s.slot AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) w
        WHERE NOT p.withheld
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return [(IdentifierValueRow(*each[:3]), KeyRow(*each[3:])) for each in found]
