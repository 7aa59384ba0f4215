"""Opens a database with the keys that belong to it, or refuses to start.

The root key and the key store are created only for a database that has never had one: a new key store beside old
data would hide that nobody can read the data any more. A rotation of the root key that was interrupted after the
change of the key store is finished here. The first start of a version that vouches for API keys gives the stored keys
their MACs.
"""

from pathlib import Path

import structlog

from identity.spaces.space import Spaces
from identity.spaces.vouched_keys import vouch_for_all
from identity.store.keys import key_store as keystore
from identity.store.postgres.database import Database
from identity.store.postgres.unfinished_restore import require_finished_here
from identity.values.errors import Misconfigured
from identity.vault import root_rotation
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root, env_root, file_root

_log = structlog.get_logger(__name__)
_OTHER = (
    "This database belongs to another key store or root key. Point ONEFOLD_KEY_STORE and ONEFOLD_ROOT_KEY to those "
    "it was created with; without them its data cannot be read."
)


async def open_spaces(
    url: str,
    *,
    root_file: Path,
    root_value: str | None,
    key_store: Path,
    readers: int = 8,
    restoring: bool = False,
) -> Spaces:
    """Open the spaces of a migrated database. Misconfigured where the keys do not belong to it.

    A database whose restore has not ended is opened by the restore alone, which passes `restoring`.
    """
    database = Database(url, readers=readers)
    await database.open()
    try:
        if not restoring:
            async with database.reading() as connection:
                await require_finished_here(connection)
        keyring = await _keyring(database, root_file, root_value, key_store)
        await _vouch_once(database, keyring)
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
            # A rotation of the root key was interrupted, or this database is a backup from before it.
            await keystore.rename_root(connection, store.root_id)
    return Keyring(root, store)


async def _vouch_once(database: Database, keyring: Keyring) -> None:
    """Give the API keys of an older version their MACs, at the first start of this one and never again."""
    if keyring.vouches():
        return
    async with database.of_all_spaces.transaction() as connection:
        await keystore.lock(connection)
        if keyring.vouches():
            return
        count = await vouch_for_all(connection, keyring)
    # After the commit: a crash in between leaves keys with MACs, and the next start finds nothing to do.
    keyring.start_vouching()
    if count:
        _log.warning("keys.vouched", count=count)


def open_keyring(root_file: Path, root_value: str | None, key_store: Path) -> Keyring:
    """The keys for a command that reads only. Misconfigured where there are none or they do not belong together."""
    root = _root(root_file, root_value, create=False)
    return Keyring(root, KeyStore.open(key_store, root))


def _first(root_file: Path, root_value: str | None, directory: Path) -> tuple[Root, KeyStore]:
    """The keys of a new database; keys of an interrupted first start are reused."""
    root = _root(root_file, root_value, create=not root_file.exists())
    left = (directory / "store").exists()
    return root, KeyStore.open(directory, root) if left else KeyStore.create(directory, root)


def _root(file: Path, value: str | None, *, create: bool) -> Root:
    return env_root(value) if value else file_root(file, create=create)
