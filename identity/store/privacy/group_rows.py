"""Reads who vouches for groups, and deletes groups with their keys.

Runs under the exclusive space lock. Statements follow the order of locks: slots before subject keys.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from identity.store.ingest import write_statements
from identity.store.postgres.arrays import byteas, uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.rows import GroupStateRow, KeyRow
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex, GroupRowId, ProfileId, SubjectId


class StatingRow(NamedTuple):
    """An origin that joined or left a group, with its root; `member` is its last statement."""

    group_key: BlindIndex
    origin: ProfileId
    root: ProfileId
    member: bool


MOST_NAMED: Final = 5
"""The identifiers of a profile among which one is chosen, by which the profile leaves a group: the strongest ones."""


class NamedMemberRow(NamedTuple):
    """An identifier of a profile that joined or left a group, sealed, with the key of its origin.

    `member` is the last statement of the profile.
    """

    root: ProfileId
    member: bool
    type: int
    key: bytes
    value: bytes
    subject: KeyRow


async def stating(
    connection: Connection, tenant: Tenant, keys: Sequence[bytes], without: Sequence[bytes] = ()
) -> list[StatingRow]:
    """The origins with a statement about these groups, except some; origins on hold vouch for nothing."""
    found = await rows(
        connection,
        """
        SELECT m.group_key, m.profile_id, p.head, m.member FROM unnest($2::bytea[]) AS k (key)
        CROSS JOIN LATERAL (
            SELECT t.* FROM membership t
            WHERE t.group_key = k.key AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
        ) m
        CROSS JOIN LATERAL (
            SELECT t.* FROM profile t
            WHERE t.profile_id = m.profile_id AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
        ) p
        WHERE m.profile_id <> ALL ($3::uuid[]) AND NOT p.withheld
        """,
        tenant.id,
        byteas(keys),
        uuids(without),
        tenant.base,
    )
    return [StatingRow(*each) for each in found]


async def named_members(
    connection: Connection, tenant: Tenant, keys: Sequence[bytes], after: bytes, limit: int
) -> list[NamedMemberRow]:
    """The next profiles with a statement about a group, each by its strongest identifiers; without those on hold."""
    found = await rows(
        connection,
        """
        WITH heads AS MATERIALIZED (
            SELECT DISTINCT p.head FROM membership m
            CROSS JOIN LATERAL (
                SELECT t.* FROM profile t
                WHERE t.profile_id = m.profile_id AND t.space_id = $1::int4 AND t.bucket = $5::int4 OFFSET 0
            ) p
            WHERE m.group_key = ANY ($2::bytea[]) AND m.space_id = $1::int4 AND m.bucket = $5::int4
              AND p.head > $3::uuid AND NOT p.withheld
            ORDER BY p.head LIMIT $4::int4
        ), origins AS (
            SELECT head, head AS id FROM heads
            UNION ALL
            SELECT h.head, p.profile_id FROM heads h
            CROSS JOIN LATERAL (
                -- `+ 0` leaves the partial index on `head` alone.
                SELECT t.profile_id FROM profile t
                WHERE t.head = h.head AND t.head <> t.profile_id AND t.space_id + 0 = $1::int4
                  AND t.bucket + 0 = $5::int4 OFFSET 0
            ) p
        ), latest AS (
            SELECT DISTINCT ON (o.head) o.head, m.member FROM origins o
            CROSS JOIN LATERAL (
                SELECT t.* FROM membership t
                WHERE t.profile_id = o.id AND t.group_key = ANY ($2::bytea[])
                  AND t.space_id = $1::int4 AND t.bucket = $5::int4 OFFSET 0
            ) m
            ORDER BY o.head, m.time DESC, m.stamp DESC
        ), named AS (
            SELECT o.head, o.id, i.retired, i.type, i.key, i.value,
                   row_number() OVER (PARTITION BY o.head ORDER BY i.retired, i.type, i.key) AS place
            FROM origins o
            CROSS JOIN LATERAL (
                SELECT t.* FROM profile_identifier t
                WHERE t.profile_id = o.id AND t.space_id = $1::int4 AND t.bucket = $5::int4 OFFSET 0
            ) i
        )
        SELECT n.head, l.member, n.type, n.key, n.value,
               s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM named n
        JOIN latest l ON l.head = n.head
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = n.id AND t.space_id = $1::int4 AND t.bucket = $5::int4 OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.* FROM slot_key t
            WHERE t.slot = s.slot AND t.space_id = $1::int4 AND t.bucket = $5::int4 OFFSET 0
        ) w
        WHERE n.place <= $6::int4
        ORDER BY n.head, n.place
        """,
        tenant.id,
        byteas(keys),
        after.hex(),
        limit,
        tenant.base,
        MOST_NAMED,
    )
    return [
        NamedMemberRow(root=root, member=member, type=type_, key=key, value=value, subject=KeyRow(*subject))
        for root, member, type_, key, value, *subject in found
    ]


async def by_keys(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> list[tuple[GroupStateRow, KeyRow]]:
    """These groups as they are stored, each with its key; a group that no key opens is left out."""
    found = await rows(
        connection,
        """
        SELECT a.key, a.account_id, a.version, a.group_id, a.document,
               s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM unnest($2::bytea[]) AS k (key)
        CROSS JOIN LATERAL (
            SELECT t.* FROM account t
            WHERE t.key = k.key AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $3::int4 OFFSET 0
        ) a
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = a.account_id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) s
        CROSS JOIN LATERAL (
            SELECT t.* FROM slot_key t
            WHERE t.slot = s.slot AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) w
        ORDER BY a.key
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return [(GroupStateRow(*each[:5]), KeyRow(*each[5:])) for each in found]


async def keys_of_groups(connection: Connection, tenant: Tenant, ids: Sequence[SubjectId]) -> dict[GroupRowId, bytes]:
    """The ids among these that are groups, with the blind index of each."""
    found = await rows(
        connection,
        """
        SELECT a.account_id, a.key FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM account t
            WHERE t.account_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) a
        """,
        tenant.id,
        uuids(ids),
        tenant.base,
    )
    return {GroupRowId(bytes(id_)): bytes(key) for id_, key in found}


async def keys_without_row(connection: Connection, tenant: Tenant) -> list[bytes]:
    """The groups of a space that have members and no row of their own."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT m.group_key FROM membership m
        LEFT JOIN account a ON a.key = m.group_key AND a.space_id = $1::int4 AND a.bucket = $2::int4
        WHERE m.space_id = $1::int4 AND m.bucket = $2::int4 AND m.member AND a.key IS NULL
        """,
        tenant.id,
        tenant.base,
    )
    return [bytes(key) for (key,) in found]


async def delete_group(connection: Connection, tenant: Tenant, key: bytes) -> None:
    """Delete a group with its key, and the memberships of those who have not left, in a database that is repaired."""
    found = await rows(
        connection,
        "SELECT account_id FROM account WHERE key = $2::bytea AND space_id = $1::int4 AND bucket = $3::int4",
        tenant.id,
        key,
        tenant.base,
    )
    await delete_groups(connection, tenant, [key], [GroupRowId(bytes(id_)) for (id_,) in found])
    await connection.execute(
        "DELETE FROM membership WHERE group_key = $2::bytea AND space_id = $1::int4 AND bucket = $3::int4 AND member",
        [tenant.id, key, tenant.base],
    )


async def delete_groups(
    connection: Connection, tenant: Tenant, keys: Sequence[bytes], ids: Sequence[GroupRowId]
) -> None:
    """Delete the rows of groups and destroy their keys; memberships stay."""
    slots, *_, subject_keys = write_statements.DELETE_ORIGIN_CONTENT
    for statement in (slots, subject_keys):
        await connection.execute(statement, [tenant.id, uuids(ids), tenant.buckets(ids)])
    await connection.execute(
        "DELETE FROM account WHERE key = ANY ($2::bytea[]) AND space_id + 0 = $1::int4 AND bucket + 0 = $3::int4",
        [tenant.id, byteas(keys), tenant.base],
    )


async def affected_groups(connection: Connection, tenant: Tenant, entry: dict[str, Any]) -> list[bytes]:
    """The groups that an erasure, a hold or the end of a hold changes: by the ids in the entry, and by its people.

    The entries of older releases hold no ids of groups.
    """
    ids = [bytes.fromhex(id_) for id_ in entry.get("profiles", ())]
    indexes = [bytes.fromhex(index) for index in entry.get("indexes", ())]
    found = await rows(
        connection,
        """
        SELECT m.group_key FROM membership m
        WHERE m.space_id = $1::int4 AND m.bucket = $4::int4 AND (m.profile_id = ANY ($2::uuid[]) OR m.profile_id IN (
            SELECT i.profile_id FROM unnest($3::bytea[]) AS k (key)
            JOIN identifier i ON i.key = k.key AND i.space_id = $1::int4 AND i.bucket = $4::int4))
        """,
        tenant.id,
        uuids(ids),
        byteas(indexes),
        tenant.base,
    )
    named = await keys_of_groups(
        connection, tenant, [GroupRowId(bytes.fromhex(id_)) for id_ in entry.get("groups", ())]
    )
    return sorted({*(bytes(key) for (key,) in found), *named.values()})
