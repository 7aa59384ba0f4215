"""`onefold restore`: puts keys and database of a backup in place, and everything that has to hold since the backup."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from app.commands.client_tools import tools_for
from app.commands.environment import owner_url
from app.commands.progress import StepProgress, steps
from app.server import logs
from app.settings import Settings
from identity.operations.backup import restore_backup
from identity.operations.backup.backup_folder import BackupManifest
from identity.operations.backup.lost_profiles import MOST_SHOWN
from identity.operations.backup.restore_backup import RestoredSpace
from identity.operations.spaces import open_spaces
from identity.spaces.key_store_comparison import LostSpace, lost_spaces
from identity.store.postgres import unfinished_restore
from identity.values.errors import OnefoldError
from identity.values.ids import public_profile

_out = Console(highlight=False, soft_wrap=True)


def run(settings: Settings, folder: Path, keys_from: Path | None, *, replace: bool) -> None:
    """Restore a backup and print a summary. Misconfigured, Unavailable; OnefoldError if a space cannot be served."""
    logs.configure("error")
    with steps() as progress:
        manifest = restore_backup.check_backup(folder, keys_from, progress)
        restore_backup.require_keys(folder, keys_from, settings.key_folder, settings.root_key_file, settings.root_value)
        with owner_url(settings, alone=True) as url:
            tools = tools_for(url, settings, at_least=manifest.tools)
            keys = keys_from or folder
            restore_backup.require_target(url, manifest, replace=replace)
            restore_backup.place_root_key(keys, settings.root_key_file, settings.root_value)
            placed = restore_backup.place_key_store(keys, settings.key_folder) or unfinished_restore.placed_keys(url)
            restore_backup.restore_database(
                url, folder, manifest, settings.key_folder, tools, progress, keys_placed=placed
            )
            restored, lost = asyncio.run(_settle(url, settings, folder, progress, manifest))
            unfinished_restore.end(url)
    _out.print(f"The backup of {manifest.created_at} is restored.", markup=False)
    _summarise(settings, keys, manifest, restored, placed=placed)
    for space in lost:
        _out.print(f"{space.label}: is not in the backup; see onefold keys discard.", markup=False)
    if any(each.trouble for each in restored):
        raise OnefoldError("Not every space can be served; the lines above name them.")


def _summarise(
    settings: Settings, keys: Path, manifest: BackupManifest, restored: list[RestoredSpace], *, placed: bool
) -> None:
    for each in restored:
        if each.deleted:
            _out.print(f"{each.space_id}: was deleted after the backup, and is deleted again.", markup=False)
        elif each.trouble:
            _out.print(f"{each.space_id}: cannot be served ({each.trouble}); run onefold verify.", markup=False)
        else:
            gone = len(each.removed)
            removed = f"; {gone} profiles that no key opens any more were removed" if gone else ""
            _out.print(f"{each.space_id}: is restored{removed}.", markup=False)
            if each.rebuilds:
                _out.print(
                    f"{each.space_id}: a rebuild is queued, which joins what calls link. The server starts with the "
                    "rebuild; until then onefold verify lists linked_apart.",
                    markup=False,
                )
            _name_lost(each)
    if placed:
        _out.print(f"The key store came from {keys}: an erasure after that backup has to be made again.", markup=False)
        age = datetime.now(UTC) - datetime.fromisoformat(manifest.created_at)
        if age.days >= settings.key_backup_days:
            _out.print(
                f"That backup is {age.days} days old, and ONEFOLD_KEY_BACKUP_DAYS is {settings.key_backup_days}: "
                "receipts promise that no older copy of the keys exists.",
                markup=False,
            )
    else:
        _out.print(f"The key store in {settings.key_folder} stayed, and erasures after the backup hold.", markup=False)
    _out.print("Start the server now, and run onefold verify.")


def _name_lost(space: RestoredSpace) -> None:
    if space.lost:
        shown = ", ".join(public_profile(each) for each in space.lost[:MOST_SHOWN])
        more = f" and {len(space.lost) - MOST_SHOWN} more" if len(space.lost) > MOST_SHOWN else ""
        _out.print(
            f"{space.space_id}: {len(space.lost)} profiles that nobody erased were lost with data that was separated "
            f"from them after the backup: {shown}{more}. Restore a backup from after the separation, or import the "
            "calls of these people again; see docs/operating.md.",
            markup=False,
        )


async def _settle(
    url: str, settings: Settings, folder: Path, progress: StepProgress, manifest: BackupManifest
) -> tuple[list[RestoredSpace], list[LostSpace]]:
    spaces = await open_spaces.open_spaces(
        url,
        root_file=settings.root_key_file,
        root_value=settings.root_value,
        key_store=settings.key_folder,
        restoring=True,
    )
    try:
        restored = await restore_backup.settle(spaces, folder, progress, manifest.schema, manifest.damaged)
        return restored, await lost_spaces(spaces.database, spaces.keyring)
    finally:
        spaces.keyring.close()
        await spaces.database.close()
