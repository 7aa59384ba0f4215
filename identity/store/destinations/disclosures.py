"""Disclosures to destinations: recorded before they are sent, and only for origins that still exist.

A disclosure is written under the shared space lock, and only where the origin has the key it was read with.
Disclosures of an origin are deleted with it, so an erasure under the lock finds all of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres import space_lock
from identity.store.postgres.arrays import int4s, int8s_or_null, uuids
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant
from identity.values.errors import Conflict
from identity.values.ids import DestinationNumber, ProfileId
from identity.values.stamps import Micros


class DisclosureRow(NamedTuple):
    """A set of fields of an origin that a destination received: a keyed hash (16 bytes), times in microseconds."""

    origin: ProfileId
    fields: bytes
    last: Micros
    until: Micros | None


async def by_origins(
    connection: Connection, tenant: Tenant, destination: DestinationNumber, origins: Sequence[ProfileId]
) -> list[DisclosureRow]:
    """The disclosures of these origins to a destination."""
    found = await rows(
        connection,
        """
        SELECT d.profile_id, d.fields, d.last, d.until FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM disclosure t
            WHERE t.profile_id = k.id AND t.destination = $4::int4 AND t.space_id = $1::int4 AND t.bucket = $3::int4
            OFFSET 0
        ) d
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
        destination,
    )
    return [DisclosureRow(*each) for each in found]


class OriginKey(NamedTuple):
    """An origin with the id of the key it was read with."""

    origin: ProfileId
    key_id: bytes


async def add(
    connection: Connection,
    tenant: Tenant,
    destination: DestinationNumber,
    disclosed: Sequence[DisclosureRow],
    read: Sequence[OriginKey],
) -> None:
    """Record disclosures before they are sent. Conflict where an origin is gone or has another key."""
    await space_lock.share_if_there(connection, tenant.id)
    found = await row(
        connection,
        """
        SELECT count(*) FROM unnest($2::uuid[], $3::uuid[]) AS k (id, key_id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
        ) p
        WHERE s.key_id = k.key_id AND NOT p.withheld
        """,
        tenant.id,
        uuids([each.origin for each in read]),
        uuids([each.key_id for each in read]),
        tenant.base,
    )
    if found is None or found[0] != len(read):
        raise Conflict
    # Sorted, so that two pages with the same profiles never wait for each other.
    origins, fields, last, until = zip(*sorted(disclosed), strict=True)
    await connection.execute(
        """
        INSERT INTO disclosure AS d (profile_id, destination, fields, space_id, bucket, first, last, until)
        SELECT u.id, $2::int4, u.fields, $1::int4, $3::int4, u.last, u.last, u.until
        FROM unnest($4::uuid[], $5::uuid[], $6::int8[], $7::int8[]) AS u (id, fields, last, until)
        ON CONFLICT (profile_id, destination, fields, space_id, bucket)
        DO UPDATE SET last = greatest(d.last, excluded.last), until = excluded.until
        """,
        [
            tenant.id, destination, tenant.base,
            uuids(origins), uuids(fields), int8s_or_null(last), int8s_or_null(until),
        ],
    )  # fmt: skip


async def copy_to_twins(connection: Connection, tenant: Tenant, pairs: Sequence[tuple[ProfileId, ProfileId]]) -> None:
    """Copy the disclosures of origins that are split to their twins: (origin, twin)."""
    await connection.execute(
        """
        INSERT INTO disclosure (profile_id, destination, fields, space_id, bucket, first, last, until)
        SELECT u.twin, d.destination, d.fields, d.space_id, d.bucket, d.first, d.last, d.until
        FROM unnest($2::uuid[], $3::uuid[]) AS u (origin, twin)
        CROSS JOIN LATERAL (
            SELECT t.* FROM disclosure t
            WHERE t.profile_id = u.origin AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
        ) d
        ON CONFLICT DO NOTHING
        """,
        [tenant.id, uuids([origin for origin, _ in pairs]), uuids([twin for _, twin in pairs]), tenant.base],
    )


async def expired_consents(
    connection: Connection, now: Micros, limit: int, passed: Sequence[int]
) -> dict[int, list[ProfileId]]:
    """By space (except `passed`), the origins disclosed under a consent that has ended."""
    found = await rows(
        connection,
        "SELECT DISTINCT space_id, profile_id FROM (SELECT space_id, profile_id FROM disclosure "
        "WHERE until <= $1::int8 AND space_id <> ALL ($3::int4[]) ORDER BY until LIMIT $2::int4) d",
        now,
        limit,
        int4s(passed),
    )
    spaces: dict[int, list[ProfileId]] = {}
    for space_id, origin in found:
        spaces.setdefault(int(space_id), []).append(ProfileId(bytes(origin)))
    return spaces


class RaisedVersionRow(NamedTuple):
    """A canonical profile with its new version."""

    canonical: ProfileId
    version: int


async def raise_versions(
    connection: Connection, tenant: Tenant, origins: Sequence[ProfileId], now: Micros
) -> list[RaisedVersionRow]:
    """Raise the versions of the profiles of these origins and clear consents that ended, for the feed."""
    # In the order in which every writer locks them.
    await space_lock.share_if_there(connection, tenant.id)
    heads = await rows(
        connection,
        """
        SELECT DISTINCT p.head FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) p
        ORDER BY p.head
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    found = await rows(
        connection,
        """
        WITH locked AS MATERIALIZED (
            SELECT profile_id FROM profile WHERE profile_id = ANY ($2::uuid[]) AND space_id + 0 = $1::int4
              AND bucket + 0 = $3::int4 AND head = profile_id ORDER BY profile_id FOR NO KEY UPDATE
        )
        UPDATE profile p SET version = p.version + 1 FROM locked l
        WHERE p.profile_id = ANY (ARRAY[l.profile_id]) AND p.space_id + 0 = $1::int4 AND p.bucket + 0 = $3::int4
        RETURNING p.canonical, p.version
        """,
        tenant.id,
        uuids([head for (head,) in heads]),
        tenant.base,
    )
    await connection.execute(
        """
        UPDATE disclosure SET until = NULL
        WHERE profile_id = ANY ($2::uuid[]) AND space_id + 0 = $1::int4 AND bucket + 0 = $3::int4
          -- Not in a form that the index of all ends of consent could answer.
          AND coalesce(until, $4::int8 + 1) <= $4::int8
        """,
        [tenant.id, uuids(origins), tenant.base, now],
    )
    return [RaisedVersionRow(*each) for each in found]
