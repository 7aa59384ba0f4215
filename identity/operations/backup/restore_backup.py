"""Restores a backup: keys, then the database, then everything since the backup that must not be lost.

Invariant: data may come from any backup, keys only from the newest key store. A key store that is in place is newer
than the backup and stays; only where there is none the copy in the backup takes its place. So an erasure after the
backup holds: its keys are gone, its entry in the journal is repeated, and a space that was deleted is deleted again.
Everything that can be refused is refused before anything is written. The database changes in one transaction, which
also marks it as unfinished: until the last step nothing else opens it, and every step may be repeated after a crash.
"""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, NamedTuple

from identity.operations.backup import backup_folder
from identity.operations.backup.backup_folder import BackupManifest
from identity.operations.backup.lost_profiles import LostProfiles
from identity.operations.backup.repair_from_journal import note_restore, publish_or_repair
from identity.operations.keys.overlay_key_tables import overlay_keys
from identity.spaces.key_store_comparison import is_older
from identity.spaces.ledger_publication import publish, require_published
from identity.spaces.space import Spaces
from identity.spaces.vouched_keys import vouch_for_all
from identity.store.backup import dump
from identity.store.backup.client_tools import ClientTools
from identity.store.destinations import feed
from identity.store.postgres import unfinished_restore
from identity.store.postgres.schema import migrate, newest
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.values.errors import DatabaseUnavailable, KeyUnavailable, Misconfigured, OnefoldError
from identity.values.ids import ProfileId, public
from identity.vault import durable_files, root_rotation
from identity.vault.epoch_key_store import OPEN_TO_OTHERS, OTHER_ROOT, checked_label
from identity.vault.key_store_copy import copy_key_store, has_key_store, journal_lengths
from identity.vault.root_keys import env_root, file_root
from identity.vault.threads import in_key_store

Progress = Callable[[str, int, int], None]
VOUCHED_SINCE: Final = "0011"
"""The first schema that has a MAC on every API key."""
NO_ROOT: Final = (
    "There is no root key at {}, and none in the backup. Put the root key there, or set ONEFOLD_ROOT_KEY; without it "
    "nobody can read the backup."
)
HAS_DATA: Final = (
    "The database holds data of Onefold. Add --replace to replace it by the backup; its key store stays, because only "
    "the newest keys keep erased people erased."
)
OTHER_STORE: Final = (
    "The key store in {} belongs to another database than the backup; move it away, or restore elsewhere."
)
OTHER_DATABASE: Final = "The database belongs to another key store than the backup, so it is not replaced."
OLDER_STORE: Final = (
    "The key store in {} is older than the one in the backup. Move it away, and the restore puts the newer one there."
)
OLDER_KEYS: Final = "The keys in {} are older than the backup. Take them from the backup itself, or from a newer one."
KEYS_STAY: Final = (
    "The key store in {} is in place and stays, so no keys are taken from {}. Leave --keys-from out, or move the "
    "key store away."
)
OTHER_BACKUP: Final = "The two backups are of different databases; take the keys from a backup of the same one."


class RestoredSpace(NamedTuple):
    """What a restore did to a space; `trouble` is the code of an error that keeps it from being served.

    `removed` are the profiles that no key opens, and `lost` those that were lost with others and never erased. With
    `rebuilds` the server starts with a rebuild of the space.
    """

    space_id: str
    removed: tuple[ProfileId, ...] = ()
    deleted: bool = False
    trouble: str | None = None
    lost: tuple[ProfileId, ...] = ()
    rebuilds: bool = False


def check_backup(folder: Path, keys_from: Path | None, progress: Progress) -> BackupManifest:
    """Check that a backup is whole, and the one that the keys come from, if it is another. Misconfigured."""
    manifest = backup_folder.read_manifest(folder)
    if manifest.schema > newest():
        raise Misconfigured(backup_folder.NEWER.format(folder))
    for each in (folder, keys_from):
        if each is not None:
            other = backup_folder.read_manifest(each)
            if other.store_id != manifest.store_id:
                raise Misconfigured(OTHER_BACKUP)
            backup_folder.require_whole(each, other, lambda done, total: progress("checksums", done, total))
    return manifest


def require_keys(
    folder: Path, keys_from: Path | None, key_store: Path, root_file: Path, root_value: str | None
) -> None:
    """Misconfigured unless key store and root key that a restore would use open its database; writes nothing."""
    manifest = backup_folder.read_manifest(folder)
    present = has_key_store(key_store)
    if present and keys_from is not None:
        raise Misconfigured(KEYS_STAY.format(key_store, keys_from))
    if not present and key_store.exists() and any(key_store.iterdir()):
        raise Misconfigured(OTHER_STORE.format(key_store))
    source = key_store if present else (keys_from or folder) / backup_folder.KEYS
    label = checked_label(source)
    if str(label.store_id) != manifest.store_id:
        raise Misconfigured(OTHER_STORE.format(source))
    if present and not durable_files.private(key_store):
        raise Misconfigured(OPEN_TO_OTHERS)
    lengths = journal_lengths(source)
    needed = journal_lengths(folder / backup_folder.KEYS)
    shorter = any(lengths[name] < length for name, length in needed.items() if name in lengths)
    if shorter or manifest.root_id not in {label.root, *label.former}:
        raise Misconfigured((OLDER_STORE if present else OLDER_KEYS).format(source))
    if label.root not in _root_ids(keys_from or folder, root_file, root_value):
        raise Misconfigured(OTHER_ROOT)


def _root_ids(folder: Path, root_file: Path, root_value: str | None) -> set[str]:
    """The ids of the root keys that a restore would use; two where a rotation of the root key was interrupted."""
    if root_value:
        return {env_root(root_value).id}
    if root_file.exists():
        files = (root_file, root_rotation.next_file(root_file))
        return {file_root(path, create=False).id for path in files if path.exists()}
    kept = folder / backup_folder.ROOT_KEY
    if not kept.exists():
        raise Misconfigured(NO_ROOT.format(root_file))
    return {env_root(kept.read_bytes().decode("ascii", "replace")).id}


def place_root_key(folder: Path, root_file: Path, root_value: str | None) -> None:
    """Put the root key of a backup in place where there is none."""
    if root_value or root_file.exists():
        return
    durable_files.make_directory(root_file.parent)
    durable_files.publish(root_file, (folder / backup_folder.ROOT_KEY).read_bytes())


def place_key_store(folder: Path, key_store: Path) -> bool:
    """Put the key store of a backup in place where there is none; whether that was so."""
    if has_key_store(key_store):
        return False
    durable_files.make_directory(key_store.parent)
    copy_key_store(folder / backup_folder.KEYS, key_store)
    return True


def require_target(url: str, manifest: BackupManifest, *, replace: bool) -> None:
    """Misconfigured unless the database is empty, or is one of the same key store that may be replaced."""
    if dump.existing_tables(url):
        if not (replace or unfinished_restore.is_unfinished(url)):
            raise Misconfigured(HAS_DATA)
        if dump.store_id(url) not in (None, manifest.store_id):
            raise Misconfigured(OTHER_DATABASE)


def restore_database(
    url: str,
    folder: Path,
    manifest: BackupManifest,
    key_store: Path,
    tools: ClientTools,
    progress: Progress,
    *,
    keys_placed: bool,
) -> None:
    """Replace the database by that of a backup, in one transaction, at this version's schema.

    The key store is held meanwhile, so no server that uses it can run; afterwards the database is marked, and no server
    starts before `unfinished_restore.end`. Misconfigured, DatabaseUnavailable.
    """
    with root_rotation.exclusive_store(key_store):
        path = folder / backup_folder.DATABASE
        mark = unfinished_restore.mark_sql(keys_placed=keys_placed)
        dump.restore(url, tools, path, lambda done: progress("database", done, manifest.tables), mark)
    migrate(url)


async def settle(
    spaces: Spaces, folder: Path, progress: Progress, schema: str, damaged: Collection[str] = ()
) -> list[RestoredSpace]:
    """Apply the newest keys to the restored database, and repeat the entries of the journals since the backup.

    A space without keys was deleted after the backup in the `folder` only if the backup has its keys. Otherwise the row
    of the space had another id even then, and the rows stay.

    A space that was `damaged` when the backup was made holds up no other one. API keys in a backup of an older schema
    have no MACs, and get them here: the backup is taken as it is.
    """
    if schema < VOUCHED_SINCE:
        async with spaces.database.of_all_spaces.transaction() as connection:
            await vouch_for_all(connection, spaces.keyring)
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await spaces_and_keys.list_spaces(connection)
    results = []
    backed_up = await asyncio.to_thread(journal_lengths, folder / backup_folder.KEYS)
    for number, row in enumerate(found):
        progress("keys", number, len(found))
        try:
            results.append(await _settle(spaces, row, backed_up))
        except KeyUnavailable as error:
            space_id = public("spc", row.public_id)
            if space_id not in damaged:
                raise
            results.append(RestoredSpace(space_id=space_id, trouble=error.code))
    progress("journals", 0, 1)
    repaired = await publish_or_repair(spaces, {})
    return [
        each
        if each.deleted
        else each._replace(trouble=await _pause(spaces, row) or each.trouble, lost=_lost(each, repaired.get(row.id)))
        for each, row in zip(results, found, strict=True)
    ]


def _lost(space: RestoredSpace, repaired: LostProfiles | None) -> tuple[ProfileId, ...]:
    """The profiles that the restore lost with others: with an erased person, or with a key that was replaced."""
    lost = LostProfiles() if repaired is None else repaired
    lost.add(space.removed)
    return tuple(lost.ids())


async def _settle(spaces: Spaces, row: spaces_and_keys.SpaceRow, backed_up: Collection[str]) -> RestoredSpace:
    space_id = public("spc", row.public_id)
    if not spaces.keyring.has_space(row.public_id):
        if row.public_id.hex() not in backed_up:
            return RestoredSpace(space_id=space_id)
        async with spaces.database.of_space(row.id).transaction() as connection:
            await spaces_and_keys.delete_space(connection, row.id)
        return RestoredSpace(space_id=space_id, deleted=True)
    space = await spaces.restored(row.id)
    older = await is_older(spaces.database, spaces.keyring, space.tenant, space.public_id)
    laid = await overlay_keys(spaces, space) if older else None
    # Calls since the backup are lost, and their places in the feed with them: every destination begins again.
    async with space.database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        await feed.restart(connection, space.tenant)
    if laid is None:
        return RestoredSpace(space_id=space_id)
    return RestoredSpace(space_id=space_id, removed=laid.removed, rebuilds=laid.rebuilds)


async def _pause(spaces: Spaces, row: spaces_and_keys.SpaceRow) -> str | None:
    """Pause the destinations of a space, also where its journal has no later entry; returns the code of an error.

    A space that cannot be served for another reason is paused all the same: a later remedy must not end the pause.
    """
    tenant = Tenant(row.id, row.bucket_base, row.spread)
    try:
        journal = await in_key_store(spaces.keyring.journal, row.public_id)
        await require_published(spaces.database, tenant, journal)
        async with spaces.database.of_space(row.id).transaction() as connection:
            await note_restore(connection, tenant)
        await publish(spaces.database, tenant, journal)
        await spaces.get(row.id)
    except DatabaseUnavailable:
        raise
    except OnefoldError as error:
        return error.code
    return None
