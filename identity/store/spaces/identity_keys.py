"""The keys of identity tokens of a space: one sealed document, each change under a version of its own."""

from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection, row
from identity.store.postgres.tenant import Tenant


async def in_force(connection: Connection, tenant: Tenant) -> tuple[int, bytes | None]:
    """The newest version and its sealed document; (0, None) before the first."""
    found = await row(
        connection,
        "SELECT version, document FROM identity_keys WHERE space_id = $1::int4 ORDER BY version DESC LIMIT 1",
        tenant.id,
    )
    return (0, None) if found is None else (int(found[0]), bytes(found[1]))


async def put(connection: Connection, tenant: Tenant, version: int, document: bytes, actor: str) -> None:
    """Put a version in force. Conflict where another process did so first, SpaceNotFound."""
    await space_lock.share(connection, tenant.id)
    await connection.execute(
        "INSERT INTO identity_keys (space_id, version, document, actor) VALUES ($1::int4, $2::int4, $3, $4)",
        [tenant.id, version, document, actor],
    )
