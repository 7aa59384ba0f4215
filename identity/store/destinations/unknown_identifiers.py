"""Explains an identifier without a profile, as far as the rows that are kept can."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import byteas
from identity.store.postgres.database import Connection, row
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex

_NEWEST = 1_000
"""Calls that lost identifiers, newest first, among which it is looked for."""


class UnknownIdentifierRow(NamedTuple):
    """`suppressed` for good, `erased` up to a time, blocked, or removed by hand.

    `demoted` is packed, from the newest call that lost the identifier; `refusals`: some call was rejected.
    """

    suppressed: bool
    erased: bool
    blocked: bool
    removed: bool
    demoted: bytes | None
    refusals: bool


async def look_up(
    connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex], hash_: bytes
) -> UnknownIdentifierRow:
    """What is stored about an identifier, by the blind indexes it may have and its suppression hash."""
    found = await row(
        connection,
        """
        SELECT coalesce(bool_or(s.whole), false), coalesce(bool_or(s.until IS NOT NULL AND NOT s.whole), false),
            EXISTS (SELECT FROM blocked_key b
                    WHERE b.key = ANY ($3::bytea[]) AND b.space_id = $1::int4 AND b.bucket = $2::int4),
            EXISTS (SELECT FROM forgotten f
                    WHERE f.key = ANY ($3::bytea[]) AND f.space_id = $1::int4 AND f.bucket = $2::int4),
            (SELECT n.demoted FROM (
                SELECT e.stamp, e.demoted FROM evidence e
                WHERE e.space_id = $1::int4 AND e.bucket = $2::int4 AND e.demoted IS NOT NULL
                ORDER BY e.stamp DESC LIMIT $5::int4
            ) n WHERE EXISTS (
                SELECT FROM unnest($3::bytea[]) AS k (key) WHERE position(k.key IN n.demoted) > 0
            ) ORDER BY n.stamp DESC LIMIT 1),
            EXISTS (SELECT FROM rejection r WHERE r.space_id = $1::int4 AND r.bucket = $2::int4)
        FROM suppression s WHERE s.key = $4 AND s.space_id = $1::int4 AND s.bucket = $2::int4
        """,
        tenant.id,
        tenant.base,
        byteas(keys),
        hash_,
        _NEWEST,
    )
    return (
        UnknownIdentifierRow(suppressed=False, erased=False, blocked=False, removed=False, demoted=None, refusals=False)
        if found is None
        else UnknownIdentifierRow(*found)
    )
