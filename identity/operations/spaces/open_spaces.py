"""Opens the database and the keys that belong together, or refuses to start.

The root key and the key store are created only for a database that has never had one: a key
store made anew beside old data would hide that the data cannot be read any more. A rotation of the
root that died after the key store had changed over is finished here.
"""

from pathlib import Path

from identity.spaces.space import Spaces
from identity.store.keys import key_store as keystore
from identity.store.postgres.database import Database
from identity.values.errors import Misconfigured
from identity.vault import root_rotation
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root, env_root, file_root

_OTHER = (
    "This database belongs to another key store or root key. Point ONEFOLD_KEY_STORE and ONEFOLD_ROOT_KEY to those "
    "it was created with; without them its data cannot be read."
)


async def open_spaces(
    url: str, *, root_file: Path, root_value: str | None, key_store: Path, readers: int = 8
) -> Spaces:
    """The spaces of a migrated database. Misconfigured where it would not be safe to start."""
    database = Database(url, readers=readers)
    await database.open()
    try:
        keyring = await _keyring(database, root_file, root_value, key_store)
        await database.make_partitions()
    except BaseException:
        await database.close()
        raise
    return Spaces(database, keyring)


async def _keyring(database: Database, root_file: Path, root_value: str | None, directory: Path) -> Keyring:
    async with database.transaction() as connection:
        await keystore.lock(connection)
        named = await keystore.read(connection)
        if named is None:
            root, store = _first(root_file, root_value, directory)
            await keystore.write(connection, store.store_id, root.id)
            return Keyring(root, store)
        root_rotation.finish_rotation(None if root_value else root_file, directory)
        root = _root(root_file, root_value, create=False)
        store = KeyStore.open(directory, root)
        if named[0] != store.store_id or named[1] not in {store.root_id, *store.former}:
            store.close()
            raise Misconfigured(_OTHER)
        if named[1] != store.root_id:
            # A rotation of the root died, or this database is older than it.
            await keystore.rename_root(connection, store.root_id)
    return Keyring(root, store)


def _first(root_file: Path, root_value: str | None, directory: Path) -> tuple[Root, KeyStore]:
    """The keys of a new database; those of a start that died before it named them are taken up."""
    root = _root(root_file, root_value, create=not root_file.exists())
    left = (directory / "store").exists()
    return root, KeyStore.open(directory, root) if left else KeyStore.create(directory, root)


def _root(file: Path, value: str | None, *, create: bool) -> Root:
    return env_root(value) if value else file_root(file, create=create)
