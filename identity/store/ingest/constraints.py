"""The constraints on identifiers that planning must respect: suppressions, blocks, removals and cuts."""

from collections.abc import Sequence
from typing import Final, LiteralString, NamedTuple

from identity.store.postgres.arrays import byteas
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex
from identity.values.stamps import Stamp

SUPPRESSED: Final[LiteralString] = """
SELECT s.key, s.whole, s.until FROM unnest($2::bytea[], $3::int4[]) AS k (key, bucket)
CROSS JOIN LATERAL (
    SELECT t.* FROM suppression t WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) s
"""
BLOCKED: Final[LiteralString] = """
SELECT b.key FROM unnest($2::bytea[], $3::int4[]) AS k (key, bucket)
CROSS JOIN LATERAL (
    SELECT t.* FROM blocked_key t WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) b
"""
CUTS: Final[LiteralString] = """
SELECT c.key, c.cut, c.side FROM unnest($2::bytea[], $3::int4[]) AS k (key, bucket)
CROSS JOIN LATERAL (
    SELECT t.* FROM cut t WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) c
"""
_REMOVED: Final[LiteralString] = """
SELECT f.key, f.until FROM unnest($2::bytea[], $3::int4[]) AS k (key, bucket)
CROSS JOIN LATERAL (
    SELECT t.* FROM forgotten t WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) f
"""


class CutRow(NamedTuple):
    """An identifier with the side of a cut that it stands on."""

    key: BlindIndex
    cut: bytes
    side: int


class Constraints(NamedTuple):
    """Of some identifiers: the stamp up to which each was removed, the blocked ones, and their cuts."""

    removed: dict[BlindIndex, Stamp]
    blocked: list[BlindIndex]
    cuts: list[CutRow]


async def cuts(connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex]) -> list[CutRow]:
    """The cuts of these identifiers."""
    return [CutRow(*each) for each in await rows(connection, CUTS, tenant.id, byteas(keys), tenant.buckets(keys))]


async def constraints(connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex]) -> Constraints:
    """The removals, blocks and cuts of these identifiers, suppressions not included."""
    named, buckets = byteas(keys), tenant.buckets(keys)
    removed = await rows(connection, _REMOVED, tenant.id, named, buckets)
    blocked = await rows(connection, BLOCKED, tenant.id, named, buckets)
    return Constraints(dict(removed), [key for (key,) in blocked], await cuts(connection, tenant, keys))
