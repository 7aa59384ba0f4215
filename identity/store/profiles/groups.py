"""Reads groups and their members, page by page."""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import Uuid, byteas
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.rows import KeyRow
from identity.store.postgres.tenant import Tenant
from identity.values.errors import KeyRenamed
from identity.values.ids import GroupRowId, ProfileId
from identity.values.stamps import Stamp


class SealedGroupRow(NamedTuple):
    """A group in the list of all, sealed, with the blind index that its members name it by."""

    key: bytes
    account_id: GroupRowId
    group_id: bytes


class MemberRow(NamedTuple):
    """The last statement of an origin about a group that it is a member of; the call is evidence there."""

    root: ProfileId
    origin: ProfileId
    stamp: Stamp


async def list_groups(
    connection: Connection, tenant: Tenant, after: bytes, limit: int
) -> list[tuple[SealedGroupRow, KeyRow]]:
    """The next groups in the order of their ids, with the keys that open them."""
    found = await rows(
        connection,
        """
        SELECT a.key, a.account_id, a.group_id, s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM (SELECT key, account_id, group_id FROM account
              WHERE space_id = $1::int4 AND bucket = $2::int4 AND account_id > $3::uuid
              ORDER BY account_id LIMIT $4::int4) a
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = a.account_id AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.* FROM slot_key t
            WHERE t.slot = s.slot AND t.space_id = $1::int4 AND t.bucket = $2::int4 OFFSET 0
        ) w
        ORDER BY a.account_id
        """,
        tenant.id,
        tenant.base,
        after.hex(),
        limit,
    )
    return [(SealedGroupRow(*each[:3]), KeyRow(*each[3:])) for each in found]


async def existing_groups(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> set[bytes]:
    """Which of these groups exist."""
    found = await rows(
        connection,
        """
        SELECT a.key FROM unnest($2::bytea[]) AS k (key) CROSS JOIN LATERAL (
            -- `+ 0` keeps the index of the list of groups out of it.
            SELECT t.key FROM account t
            WHERE t.key = k.key AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $3::int4 OFFSET 0
        ) a
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return {key for (key,) in found}


async def members(
    connection: Connection, tenant: Tenant, group: GroupRowId, after: bytes, limit: int
) -> tuple[list[MemberRow], bytes | None]:
    """Members of a group among the next `limit` origins after one, and the last origin examined.

    A profile is listed at the first of its origins that is a member, so once, and its latest statement decides. None:
    no origins are left.
    """
    found = await rows(
        connection,
        """
        WITH named AS MATERIALIZED (
            SELECT key FROM account WHERE account_id = $2::uuid AND space_id = $1::int4 AND bucket = $3::int4
        ), next AS MATERIALIZED (
            SELECT profile_id, row_number() OVER (ORDER BY profile_id) AS nr FROM membership
            WHERE group_key = (SELECT key FROM named) AND space_id = $1::int4 AND bucket = $3::int4
              AND profile_id > $4::uuid
            ORDER BY profile_id LIMIT $5::int4 + 1
        ), page AS MATERIALIZED (
            SELECT profile_id FROM next WHERE nr <= $5::int4
        ), heads AS (
            SELECT DISTINCT p.head FROM page CROSS JOIN LATERAL (
                SELECT t.head FROM profile t
                WHERE t.profile_id = page.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) p
        ), origins AS (
            SELECT head, head AS id FROM heads
            UNION ALL
            SELECT h.head, p.profile_id FROM heads h
            CROSS JOIN LATERAL (
                -- `+ 0` leaves the partial index on `head` alone.
                SELECT t.profile_id FROM profile t
                WHERE t.head = h.head AND t.head <> t.profile_id AND t.space_id + 0 = $1::int4
                  AND t.bucket + 0 = $3::int4 OFFSET 0
            ) p
        ), latest AS (
            SELECT o.head, m.*, min(m.profile_id::text) FILTER (WHERE m.member) OVER (PARTITION BY o.head) AS first
            FROM origins o CROSS JOIN LATERAL (
                SELECT t.* FROM membership t
                WHERE t.group_key = (SELECT key FROM named) AND t.profile_id = o.id
                  AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) m
        )
        SELECT DISTINCT ON (s.first, s.head) s.head, s.profile_id, s.stamp, s.member, s.first::uuid,
               (SELECT max(profile_id::text) FROM page)::uuid, (SELECT count(*) FROM next)
        FROM latest s ORDER BY s.first, s.head, s.time DESC, s.stamp DESC
        """,
        tenant.id,
        Uuid(group),
        tenant.base,
        after.hex(),
        limit,
    )
    if not found:
        return [], None
    last, looked = found[0][5], found[0][6]
    shown = [
        MemberRow(root, origin, stamp)
        for root, origin, stamp, member, first, *_ in found
        if member and after < first <= last
    ]
    return shown, last if looked > limit else None


async def membership_calls(
    connection: Connection, tenant: Tenant, group: GroupRowId, most: int
) -> list[tuple[ProfileId, Stamp]]:
    """(origin, stamp) of the call by which each member last named a group; at most `most`."""
    found = await rows(
        connection,
        """
        SELECT profile_id, stamp FROM membership
        WHERE group_key = (SELECT key FROM account
                           WHERE account_id = $2::uuid AND space_id = $1::int4 AND bucket = $3::int4)
          AND space_id = $1::int4 AND bucket = $3::int4 AND stamp > 0 AND member
        LIMIT $4::int4
        """,
        tenant.id,
        Uuid(group),
        tenant.base,
        most,
    )
    return [(origin, stamp) for origin, stamp in found]


class GroupRow(NamedTuple):
    """A group, sealed, with its wrapped key."""

    account_id: GroupRowId
    version: int
    group_id: bytes
    document: bytes
    slot: int
    key_id: bytes
    wrapped: bytes
    epoch: int
    slot_wrapped: bytes


async def find_group(connection: Connection, tenant: Tenant, keys: Sequence[bytes], version: int) -> GroupRow | None:
    """A group by any of the keys it may have, the newest of `version`. KeyRenamed."""
    found = await rows(
        connection,
        """
        SELECT g.index_version, a.account_id, a.version, a.group_id, a.document, s.slot, s.key_id, s.wrapped,
               w.epoch, w.wrapped
        FROM space_gate g
        LEFT JOIN LATERAL (
            SELECT t.* FROM account t
            WHERE t.key = ANY ($2::bytea[]) AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $3::int4 OFFSET 0
        ) a ON true
        LEFT JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = a.account_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) s ON true
        LEFT JOIN LATERAL (
            SELECT t.* FROM slot_key t
            WHERE t.space_id = $1::int4 AND t.slot = s.slot AND t.bucket = $3::int4 OFFSET 0
        ) w ON true
        WHERE g.space_id = $1::int4
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    if found and found[0][0] != version:
        raise KeyRenamed
    return GroupRow(*found[0][1:]) if found and found[0][8] is not None else None


async def count_members(connection: Connection, tenant: Tenant, group: GroupRowId, most: int) -> tuple[int, bool]:
    """How many canonical profiles belong to a group, and whether all its origins were counted.

    At most `most`. Of the origins of a profile the latest statement decides.
    """
    found = await rows(
        connection,
        """
        WITH spoke AS MATERIALIZED (
            SELECT profile_id, member, time, stamp FROM membership
            WHERE group_key = (SELECT key FROM account
                               WHERE account_id = $2::uuid AND space_id = $1::int4 AND bucket = $3::int4)
              AND space_id = $1::int4 AND bucket = $3::int4 LIMIT $4::int8
        ), latest AS (
            SELECT DISTINCT ON (p.head) m.member
            FROM spoke m CROSS JOIN LATERAL (
                SELECT t.head, t.withheld FROM profile t
                WHERE t.profile_id = m.profile_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
            ) p
            WHERE NOT p.withheld
            ORDER BY p.head, m.time DESC, m.stamp DESC
        )
        SELECT (SELECT count(*) FROM latest WHERE member), (SELECT count(*) FROM spoke)
        """,
        tenant.id,
        Uuid(group),
        tenant.base,
        most + 1,
    )
    members, spoke = found[0]
    return min(int(members), most), spoke <= most
