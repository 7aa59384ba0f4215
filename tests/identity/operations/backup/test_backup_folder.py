"""The folder of a backup has its name only once it is whole, and a changed file is named."""

from pathlib import Path

import pytest
from msgspec import structs

from identity.operations.backup.backup_folder import (
    FORMAT,
    MANIFEST,
    BackupManifest,
    begin,
    finish,
    marks,
    read_manifest,
    require_whole,
)
from identity.values.errors import Misconfigured


def silent(_done: int, _total: int) -> None:
    """Shows no progress."""


def made(folder: Path, **changed: object) -> BackupManifest:
    """A backup of two files."""
    unfinished = begin(folder)
    (unfinished / "database.dump").write_bytes(b"rows")
    (unfinished / "keys").mkdir()
    (unfinished / "keys" / "epoch").write_bytes(b"key")
    manifest = BackupManifest(
        created_at="2026-01-01T00:00:00.000Z", onefold="0.1", schema="0001", postgres=16, tools=16, store_id="s",
        root_id="r", spaces=1, tables=2, files=marks(unfinished, silent),
    )  # fmt: skip
    finish(unfinished, folder, structs.replace(manifest, **changed))
    return manifest


def test_a_whole_backup_is_read_back(tmp_path: Path) -> None:
    """Nothing stays at the place of the unfinished one."""
    folder = tmp_path / "monday"
    manifest = made(folder)

    assert read_manifest(folder) == manifest
    assert sorted(manifest.files) == ["database.dump", "keys/epoch"]
    assert [path.name for path in tmp_path.iterdir()] == ["monday"]
    require_whole(folder, manifest, silent)


@pytest.mark.parametrize("damage", ["keys/epoch", "database.dump", "new"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    """Changed at the same size, gone, or added."""
    folder = tmp_path / "backup"
    manifest = made(folder)
    if damage == "database.dump":
        (folder / damage).unlink()
    else:
        (folder / damage).write_bytes(b"KEY")

    with pytest.raises(Misconfigured, match=damage):
        require_whole(folder, manifest, silent)


def test_an_interrupted_backup_is_made_anew_and_never_read(tmp_path: Path) -> None:
    """It has no manifest, and its leftovers are not in the next one."""
    folder = tmp_path / "backup"
    (begin(folder) / "leftover").write_bytes(b"old")
    with pytest.raises(Misconfigured, match=r"no manifest\.json"):
        read_manifest(folder)

    assert list(begin(folder).iterdir()) == []


def test_a_folder_with_files_is_never_written(tmp_path: Path) -> None:
    """Every backup has a folder of its own."""
    made(tmp_path / "backup")
    with pytest.raises(Misconfigured, match="not empty"):
        begin(tmp_path / "backup")


def test_a_backup_of_a_newer_version_and_an_unreadable_manifest_are_refused(tmp_path: Path) -> None:
    """The message says which of the two."""
    made(tmp_path / "newer", format=FORMAT + 1)
    with pytest.raises(Misconfigured, match="newer version"):
        read_manifest(tmp_path / "newer")
    (tmp_path / "newer" / MANIFEST).write_bytes(b"{")
    with pytest.raises(Misconfigured, match="damaged"):
        read_manifest(tmp_path / "newer")
