"""Destinations and the purposes of a space, as sealed documents, each under a version.

Every use reads both in one statement and caches nothing, so a policy that was narrowed is narrow in every process at
once.
"""

from typing import LiteralString, NamedTuple

from identity.store.postgres import space_lock
from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant
from identity.values.errors import DestinationNotFound, SpaceNotFound
from identity.values.ids import DestinationId, DestinationNumber, SpaceNumber
from identity.values.stamps import Micros

_COLUMNS: LiteralString = "d.id, d.public_id, d.name, d.version, d.document"


class DestinationRow(NamedTuple):
    """A destination; `document` is sealed under its version."""

    id: DestinationNumber
    public_id: DestinationId
    name: str
    version: int
    document: bytes


class PolicyRow(NamedTuple):
    """A destination with the purposes in force, None where there are none yet."""

    destination: DestinationRow
    purposes_version: int
    purposes: bytes | None


async def policy(connection: Connection, tenant: Tenant, public_id: DestinationId) -> PolicyRow:
    """The policy of a destination now. DestinationNotFound."""
    found = await row(
        connection,
        f"""
        SELECT {_COLUMNS}, coalesce(p.version, 0), p.document
        FROM destination d LEFT JOIN LATERAL (
            SELECT version, document FROM purposes WHERE space_id = $1::int4 ORDER BY version DESC LIMIT 1
        ) p ON true
        WHERE d.public_id = $2 AND d.space_id = $1::int4 AND d.deleted_at IS NULL
        """,  # noqa: S608 (names of columns)
        tenant.id,
        Uuid(public_id),
    )
    if found is None:
        raise DestinationNotFound
    return PolicyRow(DestinationRow(*found[:5]), found[5], found[6])


async def space_of(connection: Connection, public_id: DestinationId) -> SpaceNumber | None:
    """The space of a live destination."""
    found = await row(
        connection, "SELECT space_id FROM destination WHERE public_id = $1 AND deleted_at IS NULL", Uuid(public_id)
    )
    return None if found is None else SpaceNumber(found[0])


async def by_name(connection: Connection, tenant: Tenant, name: str) -> DestinationRow | None:
    """A destination by its name."""
    found = await row(
        connection,
        f"SELECT {_COLUMNS} FROM destination d WHERE d.name = $2 AND d.space_id = $1::int4 AND d.deleted_at IS NULL",  # noqa: S608
        tenant.id,
        name,
    )
    return None if found is None else DestinationRow(*found)


async def list_destinations(connection: Connection, tenant: Tenant) -> list[DestinationRow]:
    """The destinations of a space, by name."""
    found = await rows(
        connection,
        f"SELECT {_COLUMNS} FROM destination d WHERE d.space_id = $1::int4 AND d.deleted_at IS NULL ORDER BY d.name",  # noqa: S608
        tenant.id,
    )
    return [DestinationRow(*each) for each in found]


async def add(
    connection: Connection, tenant: Tenant, public_id: DestinationId, name: str, document: bytes
) -> DestinationNumber:
    """Add a destination and return its number. Conflict where its name was taken meanwhile, SpaceNotFound."""
    await space_lock.share(connection, tenant.id)
    found = await row(
        connection,
        """
        INSERT INTO destination (public_id, space_id, name, document)
        VALUES ($2, $1::int4, $3, $4) RETURNING id
        """,
        tenant.id,
        Uuid(public_id),
        name,
        document,
    )
    if found is None:
        raise SpaceNotFound
    await connection.execute(
        "INSERT INTO delivery (destination, space_id, bucket) VALUES ($1::int4, $2::int4, $3::int4)",
        [found[0], tenant.id, tenant.base],
    )
    return DestinationNumber(found[0])


async def change(connection: Connection, tenant: Tenant, id_: DestinationNumber, version: int, document: bytes) -> bool:
    """Put another document in force; False where `version` is not the next one."""
    found = await row(
        connection,
        """
        UPDATE destination SET version = $3::int4, document = $4
        WHERE id = $2::int4 AND space_id = $1::int4 AND version = $3::int4 - 1 AND deleted_at IS NULL RETURNING id
        """,
        tenant.id,
        id_,
        version,
        document,
    )
    return found is not None


async def restore_document(
    connection: Connection, tenant: Tenant, public_id: DestinationId, version: int, document: bytes
) -> None:
    """Put a document in force in a restored database that has an older one; no error where there is none."""
    await connection.execute(
        """
        UPDATE destination SET version = $3::int4, document = $4
        WHERE public_id = $2 AND space_id = $1::int4 AND version < $3::int4 AND deleted_at IS NULL
        """,
        [tenant.id, Uuid(public_id), version, document],
    )


async def live_number(connection: Connection, tenant: Tenant, public_id: DestinationId) -> DestinationNumber | None:
    """The number of a live destination."""
    found = await row(
        connection,
        "SELECT id FROM destination WHERE public_id = $2 AND space_id = $1::int4 AND deleted_at IS NULL",
        tenant.id,
        Uuid(public_id),
    )
    return None if found is None else DestinationNumber(found[0])


async def remove(connection: Connection, tenant: Tenant, id_: DestinationNumber) -> None:
    """End a destination; notices that it has not acknowledged have to be handled by hand."""
    # So an erasure is either done, and its notice given up with the others, or finds that it has ended.
    await space_lock.share_if_there(connection, tenant.id)
    await connection.execute(
        "UPDATE destination SET deleted_at = now() WHERE id = $2::int4 AND space_id = $1::int4", [tenant.id, id_]
    )


async def keys_with_scope(connection: Connection, tenant: Tenant, scope: str) -> list[str]:
    """The public ids of the live keys with a scope, oldest first."""
    found = await rows(
        connection,
        """
        SELECT public_id FROM api_key
        WHERE space_id = $1::int4 AND revoked_at IS NULL AND $2 = ANY (scopes) ORDER BY id
        """,
        tenant.id,
        scope,
    )
    return [str(id_) for (id_,) in found]


async def purposes(connection: Connection, tenant: Tenant, moment: Micros | None = None) -> tuple[int, bytes | None]:
    """The version and sealed document of the purposes in force, now or at a time; (0, None) without any."""
    found = await row(
        connection,
        """
        SELECT version, document FROM purposes
        WHERE space_id = $1::int4 AND ($2::int8 IS NULL OR created_at <= to_timestamp($2::int8 / 1000000.0))
        ORDER BY version DESC LIMIT 1
        """,
        tenant.id,
        moment,
    )
    return (0, None) if found is None else (DestinationNumber(found[0]), bytes(found[1]))


async def put_purposes(connection: Connection, tenant: Tenant, version: int, document: bytes, actor: str) -> None:
    """Put a version in force. Conflict where another process did so first, SpaceNotFound."""
    await space_lock.share(connection, tenant.id)
    await connection.execute(
        "INSERT INTO purposes (space_id, version, document, actor) VALUES ($1::int4, $2::int4, $3, $4)",
        [tenant.id, version, document, actor],
    )
