"""Reads a whole space page by page, for what has to look at all of its evidence."""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import byteas
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.rows import SPACE_LOCK_COLUMNS, KeyRow, SpaceLockRow
from identity.store.postgres.tenant import Tenant
from identity.values.errors import SpaceNotFound


class ConnectedEvidenceRow(NamedTuple):
    """A row of evidence with the head it belongs to and the wrapped key that opens it."""

    origin: bytes
    head: bytes
    stamp: int
    kind: int
    kept: bytes
    payload: bytes
    slot: int
    key_id: bytes
    wrapped: bytes
    epoch: int
    slot_wrapped: bytes


async def list_origins(connection: Connection, tenant: Tenant, after: bytes, size: int) -> list[tuple[bytes, bytes]]:
    """The next origins of the space in the order of their ids, each with its head."""
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
    return [(id_, head) for id_, head in found]


async def count_origins(connection: Connection, tenant: Tenant) -> int:
    """How many origins the space has."""
    found = await row(
        connection,
        "SELECT count(*) FROM profile WHERE space_id = $1::int4 AND bucket = $2::int4",
        tenant.id,
        tenant.base,
    )
    return 0 if found is None else int(found[0])


async def evidence(connection: Connection, tenant: Tenant, first: bytes, last: bytes) -> list[ConnectedEvidenceRow]:
    """All evidence of the origins from one id to another."""
    found = await rows(
        connection,
        """
        SELECT p.profile_id, p.head, e.stamp, e.kind, e.kept, e.payload, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM (SELECT profile_id, head FROM profile
              WHERE space_id = $1::int4 AND bucket = $2::int4 AND profile_id BETWEEN $3::uuid AND $4::uuid) p
        JOIN evidence e ON e.profile_id = p.profile_id AND e.space_id = $1::int4 AND e.bucket = $2::int4
        JOIN subject_key s ON s.profile_id = p.profile_id AND s.space_id = $1::int4 AND s.bucket = $2::int4
        JOIN slot_key w ON w.space_id = $1::int4 AND w.slot = s.slot AND w.bucket = $2::int4
        """,
        tenant.id,
        tenant.base,
        first.hex(),
        last.hex(),
    )
    return [ConnectedEvidenceRow(*each) for each in found]


async def refused_since(connection: Connection, tenant: Tenant, stamp: int) -> list[tuple[bytes, bytes, bytes]]:
    """Calls after a stamp that were refused identifiers: where they lie, what they kept, what they demoted."""
    found = await rows(
        connection,
        """
        SELECT profile_id, kept, demoted FROM evidence
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND stamp > $3::int8 AND demoted IS NOT NULL
        """,
        tenant.id,
        tenant.base,
        stamp,
    )
    return [(origin, kept, demoted) for origin, kept, demoted in found]


async def owners(connection: Connection, tenant: Tenant, keys: Sequence[bytes]) -> list[bytes]:
    """The origins that hold any of these identifiers."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT i.profile_id FROM unnest($2::bytea[]) AS k (key)
        JOIN identifier i ON i.key = k.key AND i.space_id = $1::int4 AND i.bucket = $3::int4
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return [id_ for (id_,) in found]


async def constraints(
    connection: Connection, tenant: Tenant, keys: Sequence[bytes]
) -> tuple[dict[bytes, int], list[bytes], list[tuple[bytes, bytes, int]]]:
    """Of these identifiers: which were removed and until when, which are blocked, their (key, cut, side) rows."""
    named = byteas(keys)
    forgotten = await rows(
        connection,
        """
        SELECT f.key, f.until FROM unnest($2::bytea[]) AS k (key)
        JOIN forgotten f ON f.key = k.key AND f.space_id = $1::int4 AND f.bucket = $3::int4
        """,
        tenant.id,
        named,
        tenant.base,
    )
    blocked = await rows(
        connection,
        """
        SELECT b.key FROM unnest($2::bytea[]) AS k (key)
        JOIN blocked_key b ON b.key = k.key AND b.space_id = $1::int4 AND b.bucket = $3::int4
        """,
        tenant.id,
        named,
        tenant.base,
    )
    cuts = await rows(
        connection,
        """
        SELECT c.key, c.cut, c.side FROM unnest($2::bytea[]) AS k (key)
        JOIN cut c ON c.key = k.key AND c.space_id = $1::int4 AND c.bucket = $3::int4
        """,
        tenant.id,
        named,
        tenant.base,
    )
    return dict(forgotten), [key for (key,) in blocked], [(key, cut, side) for key, cut, side in cuts]


async def hold_still(connection: Connection) -> None:
    """From now on the transaction sees one moment."""
    await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


async def freeze(connection: Connection) -> None:
    """From now on the transaction sees one moment, however long it takes."""
    await hold_still(connection)
    await connection.execute("SET LOCAL statement_timeout = 0")


async def gate(connection: Connection, space_id: int, *, share: bool = False) -> SpaceLockRow:
    """The gate as it is; with `share` it stays so to the end of the transaction. SpaceNotFound."""
    query: LiteralString = f"SELECT {SPACE_LOCK_COLUMNS} FROM space_gate WHERE space_id = $1::int4"  # noqa: S608 (names of columns)
    if share:
        query += " FOR SHARE"
    found = await row(connection, query, space_id)
    if found is None:
        raise SpaceNotFound
    return SpaceLockRow(*found)


class IdentifierValueRow(NamedTuple):
    """An identifier, sealed under its origin's key."""

    key: bytes
    type: int
    value: bytes


async def identifier_values(
    connection: Connection, tenant: Tenant, keys: Sequence[bytes]
) -> list[tuple[IdentifierValueRow, KeyRow]]:
    """These identifiers, as far as somebody has them who may be read, with the keys that open them."""
    found = await rows(
        connection,
        """
        SELECT i.key, r.type, r.value, s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped
        FROM unnest($2::bytea[]) AS k (key)
        JOIN identifier i ON i.key = k.key AND i.space_id = $1::int4 AND i.bucket = $3::int4
        JOIN profile_identifier r
            ON r.profile_id = i.profile_id AND r.key = i.key AND r.space_id = $1::int4 AND r.bucket = $3::int4
        JOIN profile p ON p.profile_id = i.profile_id AND p.space_id = $1::int4 AND p.bucket = $3::int4
        JOIN subject_key s ON s.profile_id = i.profile_id AND s.space_id = $1::int4 AND s.bucket = $3::int4
        JOIN slot_key w ON w.space_id = $1::int4 AND w.slot = s.slot AND w.bucket = $3::int4
        WHERE NOT p.withheld
        """,
        tenant.id,
        byteas(keys),
        tenant.base,
    )
    return [(IdentifierValueRow(*each[:3]), KeyRow(*each[3:])) for each in found]
