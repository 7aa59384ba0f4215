"""Access exports as rows: the request, sealed parts, and destruction.

An export lists the ids it holds, so an erasure or a split finds it. A part is stored only while everything it was
read from exists under the same keys.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres import space_lock
from identity.store.postgres.arrays import Uuid, byteas, int4s, uuids
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant
from identity.store.privacy.erase import destroy_key
from identity.values.enums import AccessExportState
from identity.values.errors import Conflict
from identity.values.ids import ExportId, JobId, ProfileId, SpaceNumber, SubjectId
from identity.values.stamps import Micros

_COLUMNS: LiteralString = "export_id, created_at, until, state, job_id, actor, profiles, parts, named, unknown, on_hold"


class ExportRow(NamedTuple):
    """An export with its concatenated ids; nobody had `unknown` of the `named` identifiers.

    A hold hid `on_hold` people, whom the export lacks. Times in microseconds.
    """

    id: ExportId
    created_at: Micros
    until: Micros
    state: int
    job_id: JobId
    actor: str
    profiles: bytes
    parts: int
    identifiers: int = 0
    unknown: int = 0
    on_hold: int = 0


async def add(connection: Connection, tenant: Tenant, export: ExportRow, ticket: bytes) -> None:
    """Add an export to be built; `ticket` is the hash of the secret that downloads it."""
    await connection.execute(
        """
        INSERT INTO export (export_id, space_id, bucket, created_at, until, job_id, actor, profiles, ticket,
                            named, unknown, on_hold)
        VALUES ($1, $2::int4, $3::int4, $4::int8, $5::int8, $6::uuid, $7::text, $8, $9, $10::int4, $11::int4,
                $12::int4)
        """,
        [
            Uuid(export.id),
            tenant.id,
            tenant.base,
            export.created_at,
            export.until,
            export.job_id.hex(),
            export.actor,
            export.profiles,
            ticket,
            export.identifiers,
            export.unknown,
            export.on_hold,
        ],
    )


async def newest(connection: Connection, tenant: Tenant, before: ExportId, limit: int) -> list[ExportRow]:
    """The newest exports before an id (ids are in the order of time)."""
    found = await rows(
        connection,
        f"""
        SELECT {_COLUMNS} FROM export WHERE space_id = $1::int4 AND bucket = $2::int4 AND export_id < $3
        ORDER BY export_id DESC LIMIT $4::int4
        """,  # noqa: S608 (names of columns)
        tenant.id,
        tenant.base,
        Uuid(before),
        limit,
    )
    return [ExportRow(*each) for each in found]


async def get(connection: Connection, tenant: Tenant, id_: ExportId) -> ExportRow | None:
    """An export of this space."""
    found = await row(
        connection,
        f"SELECT {_COLUMNS} FROM export WHERE export_id = $1 AND space_id = $2::int4 AND bucket = $3::int4",  # noqa: S608
        Uuid(id_),
        tenant.id,
        tenant.base,
    )
    return None if found is None else ExportRow(*found)


async def add_parts(
    connection: Connection,
    tenant: Tenant,
    id_: ExportId,
    first: int,
    payloads: Sequence[bytes],
    keys: Sequence[tuple[bytes, bytes]],
) -> bool:
    """Store the next parts, read from origins with these key ids; False where the export is gone.

    Conflict where an origin is gone or has another key, or another process stored the parts: read again from there.
    """
    # Erasures and splits hold the lock exclusively, so the rows found here stay to the commit.
    await space_lock.share_if_there(connection, tenant.id)
    found = await row(
        connection,
        """
        SELECT count(*) FROM unnest($2::uuid[], $3::uuid[]) AS k (id, key_id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM subject_key t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
        ) s
        WHERE s.key_id = k.key_id
        """,
        tenant.id,
        uuids([origin for origin, _ in keys]),
        uuids([key_id for _, key_id in keys]),
        tenant.base,
    )
    if found is None or found[0] != len(keys):
        raise Conflict
    held = await row(
        connection,
        """
        UPDATE export SET parts = parts + $4::int4, profiles = $5
        WHERE export_id = $1 AND space_id = $2::int4 AND bucket = $3::int4 AND state = $7::int2 AND parts = $6::int4
        RETURNING parts
        """,
        Uuid(id_),
        tenant.id,
        tenant.base,
        len(payloads),
        b"".join(sorted({origin for origin, _ in keys} | await _named(connection, tenant, id_))),
        first,
        AccessExportState.RUNNING.value,
    )
    if held is None:
        if await get(connection, tenant, id_) is not None:
            raise Conflict
        return False
    await connection.execute(
        """
        INSERT INTO export_part (export_id, nr, space_id, bucket, payload)
        SELECT $1, u.nr, $2::int4, $3::int4, u.payload FROM unnest($4::int4[], $5::bytea[]) AS u (nr, payload)
        """,
        [Uuid(id_), tenant.id, tenant.base, int4s(range(first, first + len(payloads))), byteas(payloads)],
    )
    return True


async def _named(connection: Connection, tenant: Tenant, id_: ExportId) -> set[bytes]:
    export = await get(connection, tenant, id_)
    raw = b"" if export is None else export.profiles
    return {raw[at : at + 16] for at in range(0, len(raw), 16)}


async def part(connection: Connection, tenant: Tenant, id_: ExportId, nr: int) -> bytes | None:
    """A sealed part."""
    found = await row(
        connection,
        """
        SELECT payload FROM export_part
        WHERE export_id = $1 AND nr = $2::int4 AND space_id = $3::int4 AND bucket = $4::int4
        """,
        Uuid(id_),
        nr,
        tenant.id,
        tenant.base,
    )
    return None if found is None else bytes(found[0])


async def mark_ready(connection: Connection, tenant: Tenant, id_: ExportId, until: Micros) -> bool:
    """Mark an export as complete, downloadable until a time; False where it is gone."""
    return await _moved(
        connection,
        tenant,
        id_,
        "SET state = $5::int2, until = $4::int8 WHERE state = $6::int2",
        until,
        AccessExportState.READY.value,
        AccessExportState.RUNNING.value,
    )


async def redeem_ticket(
    connection: Connection, tenant: Tenant, id_: ExportId, ticket: bytes, now: Micros, until: Micros
) -> bool:
    """Whether the ticket is valid now; it is valid once. The export is deleted at `until` at the latest."""
    condition: LiteralString = (
        "SET state = $7::int2, until = $4::int8, ticket = NULL"
        " WHERE state = $8::int2 AND ticket = $5 AND until > $6::int8"
    )
    return await _moved(
        connection,
        tenant,
        id_,
        condition,
        until,
        ticket,
        now,
        AccessExportState.FETCHED.value,
        AccessExportState.READY.value,
    )


async def _moved(connection: Connection, tenant: Tenant, id_: ExportId, change: LiteralString, *given: object) -> bool:
    found = await row(
        connection,
        f"UPDATE export {change} AND export_id = $1 AND space_id = $2::int4 AND bucket = $3::int4 RETURNING export_id",
        Uuid(id_),
        tenant.id,
        tenant.base,
        *given,
    )
    return found is not None


async def drop(connection: Connection, tenant: Tenant, id_: ExportId) -> bool:
    """Destroy an export with its key; False where it is gone."""
    found = await row(
        connection,
        "DELETE FROM export WHERE export_id = $1 AND space_id = $2::int4 AND bucket = $3::int4 RETURNING export_id",
        Uuid(id_),
        tenant.id,
        tenant.base,
    )
    if found is None:
        return False
    await connection.execute(
        "DELETE FROM export_part WHERE export_id = $1 AND space_id = $2::int4 AND bucket = $3::int4",
        [Uuid(id_), tenant.id, tenant.base],
    )
    await destroy_key(connection, tenant, id_)
    return True


async def drop_exports(connection: Connection, tenant: Tenant, ids: Sequence[SubjectId]) -> None:
    """Destroy those of these exports that are there."""
    found = await rows(
        connection,
        """
        SELECT e.export_id FROM export e
        WHERE e.export_id = ANY ($3::uuid[]) AND e.space_id = $1::int4 AND e.bucket = $2::int4
        """,
        tenant.id,
        tenant.base,
        uuids(ids),
    )
    for (id_,) in found:
        await drop(connection, tenant, ExportId(bytes(id_)))


async def drop_containing(connection: Connection, tenant: Tenant, ids: Sequence[ProfileId]) -> int:
    """Destroy every export with one of these profiles, under the exclusive space lock; returns how many."""
    found = await rows(
        connection,
        """
        SELECT e.export_id FROM export e
        WHERE e.space_id = $1::int4 AND e.bucket = $2::int4 AND EXISTS (
            SELECT FROM unnest($3::uuid[]) AS u (id) WHERE position(uuid_send(u.id) IN e.profiles) > 0
        )
        """,
        tenant.id,
        tenant.base,
        uuids(ids),
    )
    return sum([await drop(connection, tenant, ExportId(bytes(id_))) for (id_,) in found])


async def expired(connection: Connection, now: Micros, limit: int) -> list[tuple[SpaceNumber, ExportId]]:
    """(space, export) of exports that can no longer be downloaded."""
    found = await rows(
        connection,
        "SELECT space_id, export_id FROM export WHERE until <= $1::int8 LIMIT $2::int4",
        now,
        limit,
    )
    return [(SpaceNumber(space), ExportId(bytes(id_))) for space, id_ in found]
