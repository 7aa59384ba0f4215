"""Reads the joins that public keys claim, newest first, with the profiles on both sides.

Each look-up by key has an OFFSET or a LIMIT: joined, a plan made while the tables are empty scans the space.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import Uuid, byteas, uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex, JoinId, ProfileId
from identity.values.stamps import Stamp


class ClaimRow(NamedTuple):
    """A claim with its profile, the profile that has the identifier, and the first call with the key that opens it.

    `bearer` and its root are None where no profile has the identifier. `hidden`: one of the two is on hold. `refused`:
    at this origin or at another one of its profile.
    """

    id: JoinId
    key: BlindIndex
    origin: ProfileId
    since: Stamp
    last: Stamp
    times: int
    root: ProfileId
    canonical: ProfileId
    bearer_root: ProfileId | None
    bearer: ProfileId | None
    hidden: bool
    refused: Stamp | None
    rules_version: int | None
    payload: bytes | None
    slot: int
    key_id: bytes
    wrapped: bytes
    epoch: int
    slot_wrapped: bytes


_SIDES: LiteralString = """
SELECT g.join_id, g.key, g.profile_id, g.since, g.last, g.times, o.head, h.canonical,
       b.head, b.canonical, o.withheld OR coalesce(b.withheld, false), coalesce(g.refused, r.refused),
       e.rules_version, e.payload, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
FROM page g
CROSS JOIN LATERAL (
    SELECT p.head, p.withheld FROM profile p
    WHERE p.profile_id = g.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4 OFFSET 0
) o
CROSS JOIN LATERAL (
    SELECT p.canonical FROM profile p
    WHERE p.profile_id = o.head AND p.space_id = $1::int4 AND p.bucket = $2::int4 OFFSET 0
) h
LEFT JOIN LATERAL (
    SELECT p.head, t.canonical, p.withheld FROM identifier i
    CROSS JOIN LATERAL (
        SELECT q.head, q.withheld FROM profile q
        WHERE q.profile_id = i.profile_id AND q.space_id = $1::int4 AND q.bucket = $2::int4 OFFSET 0
    ) p
    CROSS JOIN LATERAL (
        SELECT q.canonical FROM profile q
        WHERE q.profile_id = p.head AND q.space_id = $1::int4 AND q.bucket = $2::int4 OFFSET 0
    ) t
    WHERE i.key = g.key AND i.space_id = $1::int4 AND i.bucket = $2::int4 LIMIT 1
) b ON true
LEFT JOIN LATERAL (
    SELECT c.refused FROM claim c
    CROSS JOIN LATERAL (
        SELECT p.head FROM profile p
        WHERE p.profile_id = c.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4 OFFSET 0
    ) p
    WHERE c.key = g.key AND c.space_id = $1::int4 AND c.bucket = $2::int4 AND c.refused IS NOT NULL
      AND p.head = o.head
    LIMIT 1
) r ON true
LEFT JOIN LATERAL (
    SELECT t.rules_version, t.payload FROM evidence t
    WHERE t.profile_id = g.profile_id AND t.stamp = g.since AND t.space_id = $1::int4 AND t.bucket = $2::int4 LIMIT 1
) e ON true
CROSS JOIN LATERAL (
    SELECT t.slot, t.key_id, t.wrapped FROM subject_key t
    WHERE t.profile_id = g.profile_id AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
) s
CROSS JOIN LATERAL (
    SELECT t.epoch, t.wrapped FROM slot_key t
    WHERE t.space_id = $1::int4 AND t.slot = s.slot AND t.bucket = $2::int4 OFFSET 0
) w
"""
_ORDER: LiteralString = " ORDER BY g.since DESC, g.profile_id DESC, g.key DESC"
Place = tuple[Stamp, ProfileId, BlindIndex]
"""The place of a claim in the list."""


async def list_claims(connection: Connection, tenant: Tenant, before: Place, most: int) -> list[ClaimRow]:
    """The newest claims before a place."""
    found = await rows(
        connection,
        f"""
        WITH page AS MATERIALIZED (
            SELECT c.* FROM claim c
            WHERE c.space_id = $1::int4 AND c.bucket = $2::int4
              AND (c.since, c.profile_id, c.key) < ($3::int8, $4::uuid, $5::bytea)
            ORDER BY c.since DESC, c.profile_id DESC, c.key DESC LIMIT $6::int4
        )
        {_SIDES} {_ORDER}
        """,  # noqa: S608 (constants)
        tenant.id,
        tenant.base,
        before[0],
        Uuid(before[1]),
        before[2],
        most,
    )
    return [ClaimRow(*each) for each in found]


async def claims_of(
    connection: Connection,
    tenant: Tenant,
    origins: Sequence[ProfileId],
    keys: Sequence[BlindIndex],
    before: Place,
    most: int,
) -> list[ClaimRow]:
    """The newest claims before a place that these origins make, or that others make on these identifiers."""
    found = await rows(
        connection,
        f"""
        WITH page AS MATERIALIZED (
            SELECT * FROM (
                SELECT c.* FROM unnest($3::uuid[]) AS k (id) CROSS JOIN LATERAL (
                    SELECT t.* FROM claim t
                    WHERE t.profile_id = k.id AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $2::int4 OFFSET 0
                ) c
                UNION
                SELECT c.* FROM unnest($4::bytea[]) AS k (key) CROSS JOIN LATERAL (
                    SELECT t.* FROM claim t
                    WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
                ) c
            ) c
            WHERE (c.since, c.profile_id, c.key) < ($5::int8, $6::uuid, $7::bytea)
            ORDER BY c.since DESC, c.profile_id DESC, c.key DESC LIMIT $8::int4
        )
        {_SIDES} {_ORDER}
        """,  # noqa: S608 (constants)
        tenant.id,
        tenant.base,
        uuids(origins),
        byteas(keys),
        before[0],
        Uuid(before[1]),
        before[2],
        most,
    )
    return [ClaimRow(*each) for each in found]


async def find_claim(connection: Connection, tenant: Tenant, id_: JoinId) -> ClaimRow | None:
    """The claim with an id; None where there is none."""
    found = await rows(
        connection,
        f"""
        WITH page AS MATERIALIZED (
            SELECT c.* FROM claim c
            WHERE c.join_id = $3::uuid AND c.space_id + 0 = $1::int4 AND c.bucket + 0 = $2::int4 LIMIT 1
        )
        {_SIDES}
        """,  # noqa: S608 (constants)
        tenant.id,
        tenant.base,
        Uuid(id_),
    )
    return ClaimRow(*found[0]) if found else None
