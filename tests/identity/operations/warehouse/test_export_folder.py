"""The directory of an export: whatever dies at whatever moment, what counts there is one part or the next."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyarrow import parquet

from identity.operations.warehouse.export_folder import Folder
from identity.operations.warehouse.parquet import encode
from identity.planning.destinations.warehouse_tables import TABLES, ExportManifest
from identity.values.errors import Misconfigured

Kill = Callable[[int], None]
SOME = dict(list(TABLES.items())[:3])
DEADLY = ("fsync", "open", "rename", "unlink", "mkdir", "rmdir")


class Death(BaseException):
    """Nothing that was to come after it comes."""


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kill]:
    """Has the n-th call from now on that changes a file system be the last one; 0: none."""
    left = [0]

    def deadly(done: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Death
            return done(*args, **given)

        return call

    for name in DEADLY:
        monkeypatch.setattr(os, name, deadly(getattr(os, name)))

    def after(calls: int) -> None:
        left[0] = calls

    yield after
    left[0] = 0


def write(folder: Folder, manifest: ExportManifest) -> ExportManifest:
    """A part whose rows all bear the next number."""
    seq = manifest.seq + 1
    rows = {table: [(*["x"] * (len(columns) - 4), seq, 0, 0, 0)] for table, columns in SOME.items()}
    made = msgspec.structs.replace(manifest, part=manifest.part + 1, seq=seq).finished()
    folder.publish({table: encode(TABLES[table], rows[table]) for table in SOME}, made)
    folder.tidy(made)
    return made


def counted(folder: Folder, path: Path) -> set[tuple[int, ...]]:
    """Of each table the numbers of the rows that count."""
    manifest = folder.open("spc", "dst") if not (path / "manifest.json").exists() else None
    raw = msgspec.json.decode((path / "manifest.json").read_bytes(), type=ExportManifest)
    assert manifest is None or manifest == raw
    found = {
        table: tuple(
            sorted(
                seq
                for file in (path / table).glob("*.parquet")
                for seq in parquet.ParquetFile(file).read(["seq"])["seq"].to_pylist()
                if raw.since < seq <= raw.seq
            )
        )
        for table in SOME
    }
    return set(found.values())


def test_a_part_counts_whole_or_not_at_all(kill: Kill, tmp_path: Path) -> None:
    """The next one is written as if the dead process had never been."""
    folder, seen = Folder(tmp_path / "out"), set()
    manifest = folder.open("spc", "dst")
    for deaths in range(1, 1_000):
        begun = manifest.next_run() if deaths % 2 else manifest.restarted(str(deaths))
        before = () if manifest.since == manifest.seq else tuple(range(manifest.since + 1, manifest.seq + 1))
        after = (*before, begun.seq + 1) if begun.begun == manifest.begun else (begun.seq + 1,)
        kill(deaths)
        try:
            manifest = write(folder, begun)
            break
        except Death:
            kill(0)
        found = counted(folder, tmp_path / "out")
        assert found in ({before}, {after})
        seen.add(found == {after})
        manifest = folder.open("spc", "dst")
        assert counted(folder, tmp_path / "out") == found
        manifest = write(folder, manifest.next_run())
        assert len(list((tmp_path / "out" / "id_graph_updates").iterdir())) == manifest.seq - manifest.since
    assert deaths > 25
    assert seen == {True, False}


def test_a_process_that_died_at_the_beginning_blocks_nobody(kill: Kill, tmp_path: Path) -> None:
    """The next export starts."""
    for deaths in range(1, 100):
        folder = Folder(tmp_path / str(deaths) / "out")
        kill(deaths)
        try:
            write(folder, folder.open("spc", "dst").next_run())
            break
        except Death:
            kill(0)
        write(folder, folder.open("spc", "dst").next_run())
    assert deaths > 25


async def test_a_second_export_waits_for_the_first(tmp_path: Path) -> None:
    """In another process too."""
    path, order = tmp_path / "out", []

    async def hold(name: str) -> None:
        async with Folder(path).held():
            order.append(name)
            await asyncio.sleep(0.3)
            order.append(name)

    await asyncio.gather(hold("a"), hold("b"))
    assert order in (["a", "a", "b", "b"], ["b", "b", "a", "a"])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error names its path."""
    (tmp_path / "file").write_text("")
    folder = Folder(tmp_path / "file" / "out")
    with pytest.raises(Misconfigured, match=r"in .*file/out"):
        folder.open("spc", "dst")
