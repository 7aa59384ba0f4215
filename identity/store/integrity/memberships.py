"""Compares rows of memberships with statements: finds those that a statement has, and counts all."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import byteas, int4s, int8s, uuids
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp


class StatedMembership(NamedTuple):
    """A statement of an origin about a group; `keys` are the keys that the group may have."""

    origin: ProfileId
    keys: Sequence[bytes]
    member: bool
    time: Micros
    stamp: Stamp


async def find_stated(connection: Connection, tenant: Tenant, stated: Sequence[StatedMembership]) -> set[int]:
    """The numbers, from 1, of the statements that have a row."""
    each = [(number, key, item) for number, item in enumerate(stated, 1) for key in item.keys]
    found = await rows(
        connection,
        """
        SELECT k.nr FROM unnest($2::int4[], $3::bytea[], $4::uuid[], $5::int4[], $6::int8[], $7::int8[])
            AS k (nr, key, id, member, time, stamp)
        CROSS JOIN LATERAL (
            SELECT t.* FROM membership t
            WHERE t.group_key = k.key AND t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $8::int4 OFFSET 0
        ) m
        WHERE m.member = (k.member = 1) AND m.time = k.time AND m.stamp = k.stamp
        """,
        tenant.id,
        int4s([number for number, _, _ in each]),
        byteas([key for _, key, _ in each]),
        uuids([item.origin for _, _, item in each]),
        int4s([int(item.member) for _, _, item in each]),
        int8s([item.time for _, _, item in each]),
        int8s([item.stamp for _, _, item in each]),
        tenant.base,
    )
    return {int(number) for (number,) in found}


async def count(connection: Connection, tenant: Tenant) -> int:
    """The rows of origins that have a document."""
    found = await row(
        connection,
        """
        SELECT count(*) FROM membership m WHERE m.space_id = $1::int4 AND m.bucket = $2::int4
          AND EXISTS (SELECT FROM profile_document d
                      WHERE d.profile_id = m.profile_id AND d.space_id = $1::int4 AND d.bucket = $2::int4)
        """,
        tenant.id,
        tenant.base,
    )
    return 0 if found is None else int(found[0])
