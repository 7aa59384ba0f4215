"""The folder of an export: parts that appear whole, and the manifest that says which of them count.

A part is written aside, moved into its tables, and counts once the manifest is in place. Whatever a crash
leaves behind is in no manifest and is removed before the next write. One writer at a time. The files hold
personal data in clear, so only their owner may read them.
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

from identity.planning.destinations.warehouse_tables import TABLES, ExportManifest, read_manifest, write_manifest
from identity.values.errors import Misconfigured
from identity.vault.durable_files import UNFINISHED, create, make_directory, replace, sync_directory

MANIFEST: Final = "manifest.json"
_BESIDE: Final = UNFINISHED + "part"
_PART: Final = re.compile(r"part-(\d{5,})-(\d{4,})\.parquet")
_LOOK: Final = 0.2


class Folder:
    """The directory of an export; its manifest may be elsewhere.

    Misconfigured wherever the directory cannot be read or written.
    """

    def __init__(self, path: Path, manifest: Path | None = None) -> None:
        self._path = path
        self._manifest = manifest or path / MANIFEST

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait for the lock of the folder and hold it; a crash releases the lock."""
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

    def open(self, space_id: str, destination_id: str) -> ExportManifest:
        """The manifest of the export, after clearing unfinished parts; a new one where there is none. Misconfigured."""
        with self._usable():
            manifest = self._read() or self._begin(space_id, destination_id)
        if (manifest.space_id, manifest.destination_id) != (space_id, destination_id):
            raise Misconfigured(f"{self._path} holds the export of another destination. Choose another directory.")
        self.tidy(manifest)
        return manifest

    def tidy(self, manifest: ExportManifest) -> None:
        """Remove parts that do not count: left by a crash, or replaced by a newer snapshot."""
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

    def publish(self, tables: Mapping[str, bytes], manifest: ExportManifest) -> None:
        """Add a part, and then the manifest that counts it."""
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

    def _begin(self, space_id: str, destination_id: str) -> ExportManifest:
        if self._parts():
            raise Misconfigured(f"{self._path} holds files of an export without a manifest. Choose an empty directory.")
        manifest = ExportManifest(space_id=space_id, destination_id=destination_id)
        make_directory(self._manifest.parent)
        replace(self._manifest, [write_manifest(manifest)])
        return manifest

    def _read(self) -> ExportManifest | None:
        try:
            raw = self._manifest.read_bytes()
        except FileNotFoundError:
            return None
        manifest = read_manifest(raw)
        if manifest is None:
            raise Misconfigured(f"{self._manifest} is not the manifest of an export. Choose another file.")
        return manifest

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as refused:
            raise Misconfigured(f"The export in {self._path} is not usable: {refused.strerror}.") from refused

    def _parts(self) -> list[tuple[Path, int, int]]:
        """Every table file in the folder, with its run and part."""
        return [
            (path, int(named[1]), int(named[2]))
            for table in TABLES
            if (self._path / table).is_dir()
            for path in (self._path / table).iterdir()
            if (named := _PART.fullmatch(path.name))
        ]
