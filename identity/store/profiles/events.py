"""The calls of a profile in the order of their stamps, from evidence and from packed events.

A call is evidence (a row of its own) or plain. The plain calls of one batch at one origin are packed in one row, which
has the stamp of the first of them. The last of them has a stamp at most SPAN later, because a writer gives no stamp
past the end of its lease; SPAN is two leases, so the clocks of two hosts may differ by one. Packed rows of one origin
never overlap in time: a batch locks the root, and its stamps follow the stamp of the root. Rows of two origins may
overlap.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.store.postgres.writer_slots import LEASE_MICROS
from identity.values.ids import ProfileId
from identity.values.stamps import SLOT_BITS, Stamp

SPAN = 2 * LEASE_MICROS << SLOT_BITS

_EVIDENCE: LiteralString = """
WITH near AS MATERIALIZED (SELECT r.* FROM unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL ((
    SELECT false AS packed, e.profile_id, e.stamp, e.kept, e.payload, 1::int2 AS calls FROM evidence e
    WHERE e.profile_id = k.id AND e.space_id = $1::int4 AND e.bucket = $3::int4
      AND e.stamp > $4::int8 AND e.stamp < $5::int8
"""
_EVENT: LiteralString = """
) UNION ALL (
    SELECT true, v.profile_id, v.stamp, NULL::bytea, v.payload, v.calls FROM event v
    WHERE v.profile_id = k.id AND v.space_id = $1::int4 AND v.bucket = $3::int4
      AND v.stamp > $4::int8 AND v.stamp < $5::int8
"""
_NEAR: LiteralString = """
)) r
"""
# Each of the two in the order of its index as far as it is wanted, or a page would read all of both.
_FIRST: LiteralString = "ORDER BY stamp LIMIT $6::int4"
_LAST: LiteralString = "ORDER BY stamp DESC LIMIT $6::int4"
# Rows until they hold as many calls as are wanted: one of thousands comes alone, not with a hundred more.
_COUNTED_DOWN: LiteralString = """),
counted AS (SELECT n.*, sum(n.calls) OVER (ORDER BY n.stamp DESC) - n.calls AS before, count(*) OVER () AS rows
            FROM near n),
page AS MATERIALIZED (SELECT * FROM counted WHERE before < $6::int4),
cut AS (SELECT CASE WHEN count(*) < max(rows) OR max(rows) = $6::int4 THEN min(stamp) END AS at FROM page)
"""
_COUNTED_UP: LiteralString = """),
counted AS (SELECT n.*, sum(n.calls) OVER (ORDER BY n.stamp) - n.calls AS before, count(*) OVER () AS rows
            FROM near n),
page AS MATERIALIZED (SELECT * FROM counted WHERE before < $6::int4),
cut AS (SELECT CASE WHEN count(*) < max(rows) OR max(rows) = $6::int4 THEN max(stamp) END AS at FROM page)
"""
# Beside the page, the last packed row of each origin before it: its calls may reach into the page,
# those of an earlier one cannot.
_PAGE: LiteralString = """
SELECT p.packed, p.profile_id, p.stamp, p.kept, p.payload, cut.at FROM page p CROSS JOIN cut
UNION ALL
SELECT true, v.profile_id, v.stamp, NULL::bytea, v.payload, cut.at
FROM cut CROSS JOIN unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL (
    SELECT e.profile_id, e.stamp, e.payload FROM event e
    WHERE e.profile_id = k.id AND e.space_id = $1::int4 AND e.bucket = $3::int4
"""
_BEFORE_DOWN: LiteralString = """
      AND e.stamp < cut.at AND e.stamp >= cut.at - $7::int8 AND e.stamp > $4::int8
    ORDER BY e.stamp DESC LIMIT 1
) v
"""
_BEFORE_UP: LiteralString = """
      AND e.stamp <= $4::int8 AND e.stamp > $4::int8 - $7::int8
    ORDER BY e.stamp DESC LIMIT 1
) v
"""
_DOWN: LiteralString = _EVIDENCE + _LAST + _EVENT + _LAST + _NEAR + _LAST + _COUNTED_DOWN + _PAGE + _BEFORE_DOWN
_UP: LiteralString = _EVIDENCE + _FIRST + _EVENT + _FIRST + _NEAR + _FIRST + _COUNTED_UP + _PAGE + _BEFORE_UP


class StoredCallsRow(NamedTuple):
    """A row of either table; `kept` are the identifiers of evidence."""

    packed: bool
    origin: ProfileId
    stamp: Stamp
    kept: bytes | None
    payload: bytes


class CallsPage(NamedTuple):
    """Rows, and the stamp up to which (inclusive) they hold every call; None: to the end."""

    rows: list[StoredCallsRow]
    cut: Stamp | None


async def read_calls(
    connection: Connection,
    tenant: Tenant,
    origins: Sequence[ProfileId],
    *,
    above: Stamp,
    below: Stamp,
    most: int,
    ascending: bool,
) -> CallsPage:
    """The next rows of these origins with calls above one stamp and below another.

    As many rows as hold `most` calls, or a few less where one began on the page before.
    """
    query = _UP if ascending else _DOWN
    found = await rows(connection, query, tenant.id, uuids(origins), tenant.base, above, below, most, SPAN)
    return CallsPage([StoredCallsRow(*row[:-1]) for row in found], found[0][-1] if found else None)
