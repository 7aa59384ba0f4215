"""The row that names the key store and the root key of this database."""

from identity.store.postgres.database import Connection, row


async def lock(connection: Connection) -> None:
    """Let one process at a time decide whether there is a key store."""
    await connection.execute("SELECT pg_advisory_xact_lock(7302, 1)")


async def read(connection: Connection) -> tuple[str, str] | None:
    """The ids of the store and the root; None for a database that has no key store yet."""
    found = await row(connection, "SELECT store_id, root_id FROM key_store WHERE id = 1")
    return None if found is None else (str(found[0]), str(found[1]))


async def write(connection: Connection, store_id: str, root_id: str) -> None:
    """Name the store and the root, once."""
    await connection.execute("INSERT INTO key_store (id, store_id, root_id) VALUES (1, $1, $2)", [store_id, root_id])


async def rename_root(connection: Connection, root_id: str) -> None:
    """Name the root that replaced the former one."""
    await connection.execute("UPDATE key_store SET root_id = $1 WHERE id = 1", [root_id])
