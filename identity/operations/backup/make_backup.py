"""Makes a backup of database and key store that can be restored as a whole.

Invariant: the key store is copied after the moment of the dump. A key that the dump needs is made before that moment,
so it is in the copy; a roll after that moment leaves a key backup in the copy that opens what is left of the data. The
journals of the copy hold every erasure that was answered up to the copy, and a restore repeats them.
"""

import asyncio
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from identity.operations.backup import backup_folder
from identity.operations.backup.backup_folder import BackupManifest
from identity.operations.keys.dump_key_tables import dump_keys
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Spaces
from identity.store.backup import dump
from identity.store.backup.client_tools import ClientTools, server_major
from identity.store.keys import epoch_key_roll, index_key_rotation, key_tables
from identity.store.postgres.database import Connection
from identity.store.postgres.schema import newest
from identity.store.postgres.snapshot import exported_snapshot
from identity.store.spaces import spaces_and_keys
from identity.values.calls import IndexVersions
from identity.values.errors import KeyUnavailable, LedgerBroken, Misconfigured
from identity.values.ids import SpaceId, public
from identity.values.stamps import wall_time
from identity.vault import durable_files
from identity.vault.epoch_key_store import KeyStore
from identity.vault.key_store_copy import copy_key_store
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, what is done of it, and its size."""
INCOMPLETE: Final = (
    "The copy of the key store does not open space {}: its keys changed during the backup. Make the backup again."
)
DAMAGED: Final = (
    "No backup was made: not every key of {} opens.\nRun onefold verify to see the damage, and repair the space or "
    "delete it with DELETE /v1/spaces/{{id}}. To back up all other spaces meanwhile, add {}: the backup then holds a "
    "damaged space as it is, and names it; only older backups hold it whole."
)


class RootKey(NamedTuple):
    """The root key: opened, and as text if the backup is to hold it."""

    root: Root
    text: str | None


class _SpaceState(NamedTuple):
    """The keys that the data of a space needs."""

    public_id: SpaceId
    epochs: set[int]
    oldest: int
    newest: int


async def make_backup(
    url: str,
    version: str,
    spaces: Spaces,
    key_store: Path,
    root_key: RootKey,
    folder: Path,
    tools: ClientTools,
    progress: Progress,
    *,
    damaged: Collection[str] = (),
) -> BackupManifest:
    """Write a backup of all spaces to a new folder, and prove that it can be read. Misconfigured, Unavailable.

    A space whose keys do not all open is refused by name, unless its id is among the `damaged`; nothing is left out.
    The caller has opened the spaces of the database at `url` with this root key and this key store.
    """
    unfinished = backup_folder.begin(folder)
    failed = await _dump_key_tables(spaces, progress)
    _require_named(failed, damaged)
    tables = await asyncio.to_thread(dump.count_tables, url)
    async with exported_snapshot(spaces.database.of_all_spaces) as (connection, snapshot):
        created = wall_time()
        states = await _states(connection)
        await asyncio.to_thread(
            dump.dump,
            url,
            tools,
            snapshot,
            unfinished / backup_folder.DATABASE,
            lambda done: progress("database", done, tables),
        )
    progress("key store", 0, 1)
    await asyncio.to_thread(copy_key_store, key_store, unfinished / backup_folder.KEYS)
    if root_key.text is not None:
        durable_files.create(unfinished / backup_folder.ROOT_KEY, root_key.text.strip().encode() + b"\n")
    proven = [state for state in states if public("spc", state.public_id) not in failed]
    await asyncio.to_thread(_require_keys, unfinished / backup_folder.KEYS, root_key.root, proven)
    await asyncio.to_thread(
        dump.check, tools, unfinished / backup_folder.DATABASE, lambda done: progress("reading back", done, tables)
    )
    await asyncio.to_thread(_sync, unfinished / backup_folder.DATABASE)
    found = await asyncio.to_thread(
        backup_folder.marks, unfinished, lambda done, total: progress("checksums", done, total)
    )
    manifest = BackupManifest(
        created_at=format_time(created),
        onefold=version,
        schema=newest(),
        postgres=await asyncio.to_thread(server_major, url),
        tools=tools.major,
        store_id=spaces.keyring.store_id,
        root_id=spaces.keyring.root_id,
        spaces=len(states),
        tables=tables,
        files=found,
        damaged=tuple(sorted(failed)),
    )
    await asyncio.to_thread(backup_folder.finish, unfinished, folder, manifest)
    return manifest


async def _dump_key_tables(spaces: Spaces, progress: Progress) -> dict[str, str]:
    """Write the key backup of every space, which opens each of its keys; a roll under way writes its own.

    Returns the names of the spaces whose keys do not all open, by their ids.
    """
    failed: dict[str, str] = {}
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await spaces_and_keys.list_spaces(connection)
    for number, row in enumerate(found):
        progress("keys", number, len(found))
        async with epoch_key_roll.exclusive_roll(spaces.database.of_space(row.id), row.id) as mine:
            if mine:
                try:
                    await dump_keys(spaces, await spaces.restored(row.id))
                except (KeyUnavailable, LedgerBroken):
                    failed[public("spc", row.public_id)] = row.name
    return failed


def _require_named(failed: Mapping[str, str], damaged: Collection[str]) -> None:
    """Misconfigured where a space whose keys do not all open is not among the damaged ones."""
    unnamed = [id_ for id_ in failed if id_ not in damaged]
    if unnamed:
        shown = ", ".join(f"{id_} ({failed[id_]})" for id_ in unnamed)
        raise Misconfigured(DAMAGED.format(shown, " ".join(f"--damaged {id_}" for id_ in failed)))


async def _states(connection: Connection) -> list[_SpaceState]:
    """The spaces of the snapshot with the epochs and index keys that their rows name."""
    numbers = {row.id: row.public_id for row in await spaces_and_keys.list_spaces(connection)}
    epochs: dict[bytes, set[int]] = {}
    for public_id, epoch in await key_tables.epochs_in_use(connection):
        epochs.setdefault(public_id, set()).add(epoch)
    rotated = dict(await index_key_rotation.versions(connection))
    indexes = {id_: rotated.get(id_, IndexVersions()) for id_ in numbers}
    return [
        _SpaceState(public_id, epochs.get(public_id, set()), indexes[id_].oldest, indexes[id_].newest)
        for id_, public_id in numbers.items()
    ]


def _require_keys(directory: Path, root: Root, states: list[_SpaceState]) -> None:
    """Misconfigured unless a copy of the key store opens these spaces, or a space was deleted meanwhile."""
    store = KeyStore.open(directory, root)
    keyring = Keyring(root, store)
    try:
        for state in states:
            if keyring.has_space(state.public_id) and not _opens(keyring, state):
                raise Misconfigured(INCOMPLETE.format(public("spc", state.public_id)))
    finally:
        keyring.close()


def _opens(keyring: Keyring, state: _SpaceState) -> bool:
    try:
        keyring.space(state.public_id)
        backed_up = keyring.newest_dump(state.public_id)
        epochs = set(keyring.epochs(state.public_id))
    except KeyUnavailable:
        return False
    later = (
        backed_up is not None
        and backed_up.head.epoch in epochs
        and backed_up.head.epoch >= max(state.epochs, default=0)
    )
    indexes = set(keyring.indexes(state.public_id))
    return (state.epochs <= epochs or later) and set(range(state.oldest, state.newest + 1)) <= indexes


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
