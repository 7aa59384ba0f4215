"""Rotates the root key: wraps every key anew, so that the old root opens nothing any more.

Invariant: at every moment one root opens everything. A process with the old root could go on making keys under it,
so the command locks the key store and refuses to run while a server uses it. A rotation that died is finished by
the same command or by the next start.
"""

from pathlib import Path
from typing import NamedTuple

from identity.store.keys import key_store as keystore
from identity.store.ledger import ledger
from identity.store.ledger.ledger import OPERATOR
from identity.store.postgres.database import Connection, Database
from identity.store.spaces import spaces_and_keys
from identity.values.errors import Misconfigured
from identity.values.stamps import wall_time
from identity.vault import root_rotation
from identity.vault.epoch_key_store import OTHER_ROOT, Label, read_label
from identity.vault.root_keys import Root, env_root, file_root
from identity.vault.threads import in_key_store

NO_STORE = "This database has no keys yet. Start the server once to make them."
NO_NEW = "There is no new root key. Set ONEFOLD_NEW_ROOT_KEY; make one with: openssl rand -base64 32"
ONLY_FILE = (
    "The root key is in a file, and only another file can replace it. Unset ONEFOLD_NEW_ROOT_KEY, or set "
    "ONEFOLD_ROOT_KEY to the old root key."
)
SAME = "The new root key is the one in force. Set ONEFOLD_NEW_ROOT_KEY to another one."


class RootRotation(NamedTuple):
    """The root in force, and how many keys were wrapped anew: none if an earlier attempt had done so."""

    keys: int
    root_id: str


async def rotate_root_key(
    url: str, *, root_file: Path, root_value: str | None, new_value: str | None, key_store: Path
) -> RootRotation:
    """Replaces the root key. Misconfigured, with the reason, if that is impossible.

    The roots come from the files, or from the two values if the old root is not in a file.
    """
    database = Database(url, readers=1)
    await database.open()
    try:
        with root_rotation.exclusive_store(key_store) as before:
            async with database.of_all_spaces.transaction() as connection:
                await keystore.lock(connection)
                named = await keystore.read(connection)
                if named is None:
                    raise Misconfigured(NO_STORE)
                _belongs(named, before)
                label, keys = await in_key_store(_change_over, key_store, before, root_file, root_value, new_value)
                if named[1] != label.root:
                    await keystore.rename_root(connection, label.root)
                    await _note(connection)
            # The database names the new root now; nothing needs the old one any more.
            if not root_value:
                await in_key_store(root_rotation.adopt_next_file, root_file, label.root)
            await in_key_store(root_rotation.clear, key_store, label)
    finally:
        await database.close()
    return RootRotation(keys, label.root)


def _belongs(database: tuple[str, str], label: Label) -> None:
    if database[0] != str(label.store_id) or database[1] not in {label.root, *label.former}:
        raise Misconfigured(OTHER_ROOT)


def _change_over(
    directory: Path, label: Label, root_file: Path, root_value: str | None, new_value: str | None
) -> tuple[Label, int]:
    """Wraps all keys under the new root, or finishes an attempt that had done so."""
    if root_value:
        if not new_value:
            raise Misconfigured(NO_NEW)
        old, new = env_root(root_value), env_root(new_value)
    elif new_value:
        raise Misconfigured(ONLY_FILE)
    else:
        old, new = _of_files(root_file, label)
    if label.root == new.id:
        if old.id == new.id and label.left is None:
            raise Misconfigured(SAME)
        return label, 0
    if label.root != old.id:
        raise Misconfigured(OTHER_ROOT)
    keys = root_rotation.rewrap(directory, label, old, new)
    return read_label(directory), keys


def _of_files(root_file: Path, label: Label) -> tuple[Root, Root]:
    """The root in force, and the next one, which is made unless its file exists."""
    ready = root_rotation.next_file(root_file)
    if ready.exists():
        new = file_root(ready, create=False)
        if new.id == label.root:
            return new, new
        return file_root(root_file, create=False), new
    old = file_root(root_file, create=False)
    if label.left is not None and old.id == label.root:
        return old, old
    if label.root != old.id:
        raise Misconfigured(OTHER_ROOT)
    return old, file_root(ready, create=True)


async def _note(connection: Connection) -> None:
    """Records in the ledger of every space when its keys went under another root."""
    now = wall_time()
    for space in await spaces_and_keys.list_spaces(connection):
        await ledger.append(connection, space.id, *ledger.entry(OPERATOR, "keys.rotate_root", None, now))
