"""The folder of a backup: what is in it, and whether it is whole.

    manifest.json   what the backup is of, and the size and SHA-256 of every other file; written last
    database.dump   the database, in the custom format of pg_dump
    keys/           the key store
    root-key        the root key, only if it was asked for

Invariant: a backup has its name only once it is complete and on disk. Until then it is beside that place, under a name
that begins with a dot, without a manifest.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from identity.values.errors import Misconfigured
from identity.vault import durable_files

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.dump"
KEYS: Final = "keys"
ROOT_KEY: Final = "root-key"
_CHUNK: Final = 1 << 20

NOT_EMPTY: Final = "{} exists and is not empty. Name a new folder for every backup."
NO_BACKUP: Final = "{} is not a whole backup: it has no manifest.json. Name a folder that `onefold backup` completed."
DAMAGED: Final = "The backup {} is damaged: {} is not as its manifest describes it. Use another backup."
NEWER: Final = "The backup {} was made by a newer version of Onefold; restore it with that version."

Progress = Callable[[int, int], None]


class FileMark(msgspec.Struct, frozen=True):
    """The size of a file and its SHA-256 in hex."""

    size: int
    sha256: str


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of. `tools` is the major version of the pg_dump that made the dump.

    `damaged` are the ids of the spaces whose keys did not all open; the backup holds these spaces as they were.
    """

    format: int = FORMAT
    created_at: str
    onefold: str
    schema: str
    postgres: int
    tools: int
    store_id: str
    root_id: str
    spaces: int
    tables: int
    files: dict[str, FileMark]
    damaged: tuple[str, ...] = ()


def begin(folder: Path) -> Path:
    """Make the unfinished folder of a backup; an interrupted attempt of the same name is deleted. Misconfigured."""
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Misconfigured(NOT_EMPTY.format(folder))
        durable_files.make_directory(folder.parent)
        unfinished = folder.with_name(durable_files.UNFINISHED + folder.name)
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=durable_files.DIRECTORY_MODE)
    except OSError as error:
        raise Misconfigured(f"The folder {folder} cannot be written; choose another.") from error
    return unfinished


def finish(unfinished: Path, folder: Path, manifest: BackupManifest) -> None:
    """Write the manifest and give the backup its name; all of it is on disk on return."""
    durable_files.create(unfinished / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    durable_files.sync_directory(unfinished)
    unfinished.rename(folder)
    durable_files.sync_directory(folder.parent)


def read_manifest(folder: Path) -> BackupManifest:
    """The manifest of a whole backup. Misconfigured for anything else."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=BackupManifest)
    except OSError as error:
        raise Misconfigured(NO_BACKUP.format(folder)) from error
    except msgspec.DecodeError as error:
        raise Misconfigured(DAMAGED.format(folder, MANIFEST)) from error
    if manifest.format > FORMAT:
        raise Misconfigured(NEWER.format(folder))
    return manifest


def marks(folder: Path, progress: Progress) -> dict[str, FileMark]:
    """The size and digest of every file of a backup but its manifest, by its path in the folder."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / MANIFEST]
    total, done = sum(path.stat().st_size for path in paths), 0
    found = {}
    for path in paths:
        digest = hashlib.sha256()
        size = 0
        for chunk in _chunks(path):
            digest.update(chunk)
            size += len(chunk)
            progress(done + size, total)
        done += size
        found[str(path.relative_to(folder))] = FileMark(size, digest.hexdigest())
    return found


def require_whole(folder: Path, manifest: BackupManifest, progress: Progress) -> None:
    """Misconfigured, with the name of a file, unless every file is as the manifest describes it."""
    found = marks(folder, progress)
    for name in sorted({*found, *manifest.files}):
        if found.get(name) != manifest.files.get(name):
            raise Misconfigured(DAMAGED.format(folder, name))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
