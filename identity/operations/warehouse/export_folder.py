"""The directory of an export: parts that appear whole, and the manifest that says which of them count.

A part is written beside, moved into its tables, and counts once the manifest is in place. What a crash
leaves is no part of any manifest and goes before anything else is written. One writer at a time. What
lies here is personal data in clear: only the owner may read it.
"""

import asyncio
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from identity.planning.destinations.warehouse_tables import TABLES, Manifest, read_manifest, write_manifest
from identity.values.errors import Misconfigured
from identity.vault.durable_files import UNFINISHED, create, make_directory, replace, sync_directory

MANIFEST: Final = "manifest.json"
_BESIDE: Final = UNFINISHED + "part"
_PART: Final = re.compile(r"part-(\d{5,})-(\d{4,})\.parquet")
_LOOK: Final = 0.2


class Folder:
    """A directory that an export is written into; its manifest may lie elsewhere.

    Misconfigured wherever it cannot be read or written.
    """

    def __init__(self, path: Path, manifest: Path | None = None) -> None:
        self._path = path
        self._manifest = manifest or path / MANIFEST

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Holds it against every other export into it, as soon as there is none; a crash lets go of it."""
        with self._usable():
            await asyncio.to_thread(make_directory, self._path)
            descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(_LOOK)
            yield
        finally:
            os.close(descriptor)

    def open(self, space_id: str, destination_id: str) -> Manifest:
        """How far the export is, and nothing beside it; a new one begins where there is none. Misconfigured."""
        with self._usable():
            manifest = self._read() or self._begin(space_id, destination_id)
        if (manifest.space_id, manifest.destination_id) != (space_id, destination_id):
            raise Misconfigured(f"The export in {self._path} is that of another destination.")
        self.tidy(manifest)
        return manifest

    def tidy(self, manifest: Manifest) -> None:
        """Removes what does not count: what a crash left, and what a newer snapshot has replaced."""
        first = manifest.snapshot if manifest.complete else 0
        with self._usable():
            shutil.rmtree(self._path / _BESIDE, ignore_errors=True)
            gone = [
                path for path, run, part in self._parts() if run < first or (run, part) > (manifest.run, manifest.part)
            ]
            for path in gone:
                path.unlink()
            for table in {path.parent for path in gone}:
                sync_directory(table)

    def publish(self, tables: Mapping[str, bytes], manifest: Manifest) -> None:
        """Adds a part, and then the manifest that counts it."""
        beside = self._path / _BESIDE
        with self._usable():
            make_directory(beside)
            for table, data in tables.items():
                create(beside / table, data)
            for table in tables:
                make_directory(self._path / table)
                (beside / table).rename(self._path / table / f"part-{manifest.run:05}-{manifest.part:04}.parquet")
                sync_directory(self._path / table)
            beside.rmdir()
            replace(self._manifest, [write_manifest(manifest)])

    def _begin(self, space_id: str, destination_id: str) -> Manifest:
        if self._parts():
            raise Misconfigured(f"There are files of an export in {self._path}, and no manifest that they belong to.")
        manifest = Manifest(space_id=space_id, destination_id=destination_id)
        make_directory(self._manifest.parent)
        replace(self._manifest, [write_manifest(manifest)])
        return manifest

    def _read(self) -> Manifest | None:
        try:
            raw = self._manifest.read_bytes()
        except FileNotFoundError:
            return None
        manifest = read_manifest(raw)
        if manifest is None:
            raise Misconfigured(f"{self._manifest} is not the manifest of an export.")
        return manifest

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as refused:
            raise Misconfigured(f"An export cannot be kept in {self._path}: {refused.strerror}.") from refused

    def _parts(self) -> list[tuple[Path, int, int]]:
        """Every file of an export that is there, with its run and part."""
        return [
            (path, int(named[1]), int(named[2]))
            for table in TABLES
            if (self._path / table).is_dir()
            for path in (self._path / table).iterdir()
            if (named := _PART.fullmatch(path.name))
        ]
