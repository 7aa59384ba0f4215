"""`onefold backup`: writes database and key store into a new folder, and says what the folder does not hold."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from app.commands.client_tools import tools_for
from app.commands.progress import steps
from app.settings import Settings
from app.version import installed_version
from identity.operations.backup.backup_folder import BackupManifest
from identity.operations.backup.make_backup import RootKey, make_backup
from identity.operations.spaces import open_spaces
from identity.spaces.choose_spaces import choose_spaces
from identity.values.errors import Misconfigured
from identity.values.ids import public
from identity.vault.root_keys import env_root, file_root

_out = Console(highlight=False, soft_wrap=True)


def run(url: str, settings: Settings, folder: Path, damaged: Sequence[str], *, with_root_key: bool) -> None:
    """Make a backup and print a summary. Misconfigured, Unavailable.

    `damaged` are the spaces whose keys need not open.
    """
    made = asyncio.run(_run(url, settings, folder, damaged, with_root_key=with_root_key))
    size = sum(mark.size for mark in made.files.values())
    _out.print(
        f"The backup is in {folder}: {made.spaces} spaces, {len(made.files)} files, {size / 1e6:,.1f} MB. "
        f"Every file and every key in it was read back{' but those of damaged spaces' if made.damaged else ''}.",
        markup=False,
    )
    for space_id in made.damaged:
        _out.print(
            f"{space_id}: is in it as the space is, and not all of its keys open. Keep an older backup of this space.",
            markup=False,
        )
    if with_root_key:
        _out.print("It holds the root key: the folder alone opens all data. Keep it as you keep the data.")
    else:
        source = "ONEFOLD_ROOT_KEY" if settings.root_value else str(settings.root_key_file)
        _out.print(
            f"It does not hold the root key ({source}). Keep a copy of that apart: without it nobody can read the "
            "backup.",
            markup=False,
        )


async def _run(
    url: str, settings: Settings, folder: Path, damaged: Sequence[str], *, with_root_key: bool
) -> BackupManifest:
    tools = tools_for(url, settings)
    spaces = await open_spaces.open_spaces(
        url, root_file=settings.root_key_file, root_value=settings.root_value, key_store=settings.key_folder
    )
    try:
        root = _root(settings, with_text=with_root_key)
        known = {public("spc", row.public_id) for row in await choose_spaces(spaces.database, damaged)}
        with steps() as progress:
            return await make_backup(
                url,
                installed_version(),
                spaces,
                settings.key_folder,
                root,
                folder,
                tools,
                progress,
                damaged=known if damaged else (),
            )
    finally:
        spaces.keyring.close()
        await spaces.database.close()


def _root(settings: Settings, *, with_text: bool) -> RootKey:
    value = settings.root_value
    try:
        text = value or settings.root_key_file.read_text()
    except OSError as error:
        raise Misconfigured(f"The root key file {settings.root_key_file} cannot be read.") from error
    root = env_root(value) if value else file_root(settings.root_key_file, create=False)
    return RootKey(root, text if with_text else None)
