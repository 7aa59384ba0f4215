"""The calls of a profile in the order of their stamps, from the two places they lie in.

A call is evidence (a row of its own) or plain (packed with the others of its origin and batch, at
the stamp of the first). A packed row at f may hold calls up to f + SPAN: no writer gives a stamp
past its lease, so that is a bound as long as the clocks of two hosts differ by less.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.clock import SLOT_BITS
from identity.store.arrays import uuids
from identity.store.database import Connection, rows
from identity.store.tenant import Tenant
from identity.store.writers import LEASE

SPAN = 2 * LEASE << SLOT_BITS

_ROWS: LiteralString = """
    SELECT false AS packed, e.profile_id, e.stamp, e.kept, e.payload FROM evidence e
    WHERE e.profile_id = k.id AND e.space_id = $1::int4 AND e.bucket = $3::int4
      AND e.stamp > $4::int8 AND e.stamp < $5::int8
    UNION ALL
    SELECT true, v.profile_id, v.stamp, NULL::bytea, v.payload FROM event v
    WHERE v.profile_id = k.id AND v.space_id = $1::int4 AND v.bucket = $3::int4
      AND v.stamp > $4::int8 AND v.stamp < $5::int8
"""
_PAGE: LiteralString = "WITH page AS MATERIALIZED (SELECT r.* FROM unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL ("
# Beside the page itself, the packed rows before it whose calls may reach into it.
_NEWEST_FIRST: LiteralString = """
    ORDER BY stamp DESC LIMIT $6::int4) r ORDER BY r.stamp DESC LIMIT $6::int4
), cut AS (SELECT CASE WHEN count(*) = $6::int4 THEN min(stamp) END AS at FROM page)
SELECT * FROM page
UNION ALL
SELECT true, v.profile_id, v.stamp, NULL::bytea, v.payload
FROM cut CROSS JOIN unnest($2::uuid[]) AS k (id)
JOIN event v ON v.profile_id = k.id AND v.space_id = $1::int4 AND v.bucket = $3::int4
WHERE v.stamp < cut.at AND v.stamp >= cut.at - $7::int8 AND v.stamp > $4::int8
"""
_OLDEST_FIRST: LiteralString = """
    ORDER BY stamp LIMIT $6::int4) r ORDER BY r.stamp LIMIT $6::int4
)
SELECT * FROM page
UNION ALL
SELECT true, v.profile_id, v.stamp, NULL::bytea, v.payload
FROM unnest($2::uuid[]) AS k (id)
JOIN event v ON v.profile_id = k.id AND v.space_id = $1::int4 AND v.bucket = $3::int4
WHERE v.stamp <= $4::int8 AND v.stamp > $4::int8 - $7::int8
"""
_DOWN: LiteralString = _PAGE + _ROWS + _NEWEST_FIRST
_UP: LiteralString = _PAGE + _ROWS + _OLDEST_FIRST


class Stored(NamedTuple):
    """A row of either place; `kept` are the identifiers of evidence."""

    packed: bool
    origin: bytes
    stamp: int
    kept: bytes | None
    payload: bytes


class Stretch(NamedTuple):
    """Rows, and the stamp up to which (itself included) they hold every call; None: to the end."""

    rows: list[Stored]
    cut: int | None


async def stretch(
    connection: Connection,
    tenant: Tenant,
    origins: Sequence[bytes],
    *,
    above: int,
    below: int,
    most: int,
    ascending: bool,
) -> Stretch:
    """The next `most` rows of these origins whose calls lie above one stamp and below another."""
    query = _UP if ascending else _DOWN
    found = await rows(connection, query, tenant.id, uuids(origins), tenant.base, above, below, most, SPAN)
    read = [Stored(*row) for row in found]
    page = sorted((row.stamp for row in read if above < row.stamp < below), reverse=not ascending)
    # What came along beside the page lies before it, so the page is the first `most` of them.
    return Stretch(read, page[most - 1] if len(page) >= most else None)
