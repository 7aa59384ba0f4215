"""Copies a key store that servers may use, as it is at one moment.

The store is held against every change of its keys while it is copied. Journals grow meanwhile: the signed head of a
journal is copied before the journal, so the copy of the journal holds at least the entries that the head names.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from identity.vault import durable_files
from identity.vault.epoch_key_store import LABEL
from identity.vault.journal import HEAD


class _Length(msgspec.Struct):
    seq: int


def copy_key_store(source: Path, target: Path) -> int:
    """Copy a key store into a new directory of mode 0700, on disk on return; the number of files. OSError."""
    fresh = target.with_name(durable_files.UNFINISHED + target.name)
    if fresh.exists():
        shutil.rmtree(fresh)
    durable_files.make_directory(fresh)
    count = 0
    with durable_files.exclusive(source):
        for folder in (source, *(path for path in sorted(source.iterdir()) if path.is_dir())):
            if folder.name.startswith((durable_files.UNFINISHED, durable_files.DOOMED)):
                continue
            into = fresh if folder == source else fresh / folder.name
            durable_files.make_directory(into)
            for path in _files(folder):
                durable_files.create(into / path.name, path.read_bytes())
                count += 1
            durable_files.sync_directory(into)
    fresh.rename(target)
    durable_files.sync_directory(target.parent)
    return count


def journal_lengths(directory: Path) -> dict[str, int]:
    """How many entries the journal of each space has, by the name of its folder; unsigned, so only to compare."""
    heads = [folder / HEAD for folder in directory.iterdir() if folder.is_dir()]
    return {
        head.parent.name: msgspec.json.decode(head.read_bytes(), type=_Length).seq for head in heads if head.exists()
    }


def has_key_store(directory: Path) -> bool:
    """Whether there is a key store in a directory."""
    return (directory / LABEL).exists()


def _files(folder: Path) -> Iterator[Path]:
    paths = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith((durable_files.UNFINISHED, durable_files.DOOMED))
    ]
    yield from sorted(paths, key=lambda path: path.name != HEAD)
