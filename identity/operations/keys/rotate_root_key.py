"""Rotates the root key: every key that it wraps is wrapped anew, and the old root opens nothing any more.

Nobody may use the key store meanwhile, as a process that holds the old root could go on making keys
under it: the command holds the store alone, and refuses where a server has it. At every moment one
root opens everything, and whatever died is finished by the same command, or by the next start.
"""

import asyncio
import time
from pathlib import Path
from typing import Final, NamedTuple

from identity.store.keys import key_store as keystore
from identity.store.ledger import ledger
from identity.store.postgres.database import Connection, Database
from identity.store.spaces import spaces_and_keys
from identity.values.errors import Misconfigured
from identity.vault import root_rotation
from identity.vault.epoch_key_store import OTHER_ROOT, Label, read_label
from identity.vault.root_keys import Root, env_root, file_root

OPERATOR: Final = "operator"
NO_STORE = "This database has no keys yet; the first start makes them."
NO_NEW = "Set ONEFOLD_NEW_ROOT_KEY to the new root key; make one with: openssl rand -base64 32"
ONLY_FILE = (
    "The root key lies in a file, whose place only another file takes; unset ONEFOLD_NEW_ROOT_KEY, or set "
    "ONEFOLD_ROOT_KEY to the old one."
)
SAME = "The new root key is the one in force."


class Rerooted(NamedTuple):
    """What came of it: how many keys were wrapped anew, none where the store had changed over before."""

    keys: int
    root_id: str


async def rotate_root(
    url: str, *, root_file: Path, root_value: str | None, new_value: str | None, key_store: Path
) -> Rerooted:
    """Puts a new root in the place of the old one. Misconfigured where that cannot be, and why.

    The roots are those of the files, or of the two values where the old one is not in a file.
    """
    database = Database(url, readers=1)
    await database.open()
    try:
        with root_rotation.alone(key_store) as before:
            async with database.transaction() as connection:
                await keystore.lock(connection)
                named = await keystore.read(connection)
                if named is None:
                    raise Misconfigured(NO_STORE)
                _belongs(named, before)
                label, keys = await asyncio.to_thread(_change_over, key_store, before, root_file, root_value, new_value)
                if named[1] != label.root:
                    await keystore.rename_root(connection, label.root)
                    await _note(connection)
            # From here on the database names the new root, and nothing has to open under the old one.
            if not root_value:
                await asyncio.to_thread(root_rotation.take_up, root_file, label.root)
            await asyncio.to_thread(root_rotation.clear, key_store, label)
    finally:
        await database.close()
    return Rerooted(keys, label.root)


def _belongs(named: tuple[str, str], label: Label) -> None:
    if named[0] != str(label.store_id) or named[1] not in {label.root, *label.former}:
        raise Misconfigured(OTHER_ROOT)


def _change_over(
    directory: Path, label: Label, root_file: Path, root_value: str | None, new_value: str | None
) -> tuple[Label, int]:
    """Wraps all under the new root, unless that was done before: then it is only finished."""
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
    """The root in force and the one to come, made where there is none."""
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
    """The ledger of every space says when its keys went under another root."""
    now = time.time_ns() // 1000
    for space in await spaces_and_keys.list_spaces(connection):
        await ledger.append(connection, space.id, *ledger.entry(OPERATOR, "keys.rotate_root", None, now))
