"""`onefold verify --privacy`: plants values in a scratch space and proves that nothing kept them in clear.

The values come in through a server of its own on the same database. A value in clear is put into a
table too: unless it is found in every place where it must lie, the scan is void. What could not be
read is listed, never counted as clean; nothing that is printed quotes what was found.
"""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.commands.leak_values import Caller, Canaries
from app.commands.temporary_server import scratch
from app.settings import Settings
from identity.operations.integrity.record_leak_scan import note_scan
from identity.operations.spaces import open_spaces
from identity.operations.spaces.purge_spaces import purge_deleted
from identity.planning.integrity.leak_patterns import Hit, Needles
from identity.store.integrity.data_files import below, pieces
from identity.store.integrity.leak_scan import ScannedDatabase, UnreadableError, open_for_scan, planted_control

VERSION = "1"
CONTROL = "control"
# Where the value in clear lies; a scan of one of these that does not find it is void.
_MUST = ("rows", "statistics", "heap files", "write-ahead log", "dump", "server")
_out = Console(highlight=False, soft_wrap=True)


class Found(Struct, frozen=True):
    """A kind of value that was found in clear: in which target, in what form, how often."""

    target: str
    form: str
    kind: str
    times: int


class Scan(Struct, frozen=True):
    """What a scan came to. `positive_control` is `found`, or names the targets that it is missing in."""

    tool: str
    version: str
    targets: dict[str, int]
    not_scanned: dict[str, str]
    not_planted: list[str]
    found: list[Found]
    positive_control: str

    @property
    def status(self) -> int:
        """The status the command ends with: 1 where anything was found, 2 where the scan is void."""
        return 1 if self.found else 0 if self.positive_control == "found" else 2

    def told(self) -> dict[str, object]:
        """What the ledger, and a receipt, carry of it."""
        return {
            "tool": self.tool,
            "version": self.version,
            "targets": sorted(self.targets),
            "not_scanned": sorted(self.not_scanned),
            "hits": sum(found.times for found in self.found),
            "positive_control": self.positive_control,
        }


def run(settings: Settings, url: str, canaries: Canaries | None = None) -> int:
    """Scans the database with this owner's URL and prints the result; returns the status."""
    result = _scan(settings, url, canaries or Canaries())
    asyncio.run(_close(settings, url, result))
    _print(result)
    return result.status


def _scan(settings: Settings, url: str, canaries: Canaries) -> Scan:
    embedded = None if settings.database_url else settings.data_dir
    sought = secrets.token_hex(12)
    scanner = _Scanner(canaries, sought)
    with (
        tempfile.TemporaryDirectory(prefix="onefold-scan-") as folder,
        open_for_scan(url, embedded) as database,
        planted_control(url, sought) as scanner.mark,
        _Bar() as scanner.moved,
    ):
        place = Path(folder)
        (place / "control").write_text(sought)
        with scratch(settings, url, place) as ask:
            canaries.plant(ask)
            _keep(ask, canaries, place)
            scanner.everything(database, settings, place)
            left = canaries.erase()
            if left is None:
                scanner.not_scanned["everything after erasing"] = "this version erases nobody"
            else:
                _keep(ask, canaries, place)
                scanner.after = " after erasing"
                scanner.everything(database, settings, place)
                scanner.readable = left
    return scanner.result()


def _keep(ask: Caller, canaries: Canaries, place: Path) -> None:
    """What the server told, beside its log: refusals, measures and pages that hold no person."""
    pages = [ask("operator", "GET", path)[1] for path in ("/metrics", "/openapi.json", "/healthz", "/readyz")]
    (place / "answers").write_bytes(b"\n".join([*canaries.refusals, *pages]))


class _Scanner:
    """Searches target after target, and gathers what was found and what could not be read."""

    def __init__(self, canaries: Canaries, sought: str) -> None:
        self.after = ""
        self.readable = 0
        self.mark: Callable[[], None] = lambda: None
        self.not_scanned: dict[str, str] = {}
        self.moved: Callable[[str, int], None] = lambda _target, _size: None
        self._needles = Needles({**canaries.values, CONTROL: sought}, canaries.hashed)
        self._canaries = canaries
        self._targets: dict[str, int] = {}
        self._hits: dict[str, list[Hit]] = {}

    def everything(self, database: ScannedDatabase, settings: Settings, place: Path) -> None:
        """All targets, once; the control is written anew, since Postgres reuses its log."""
        self.mark()
        for table in database.tables():
            self._look("rows", table.name, table.pieces)
        for view in database.views():
            self._look("statistics", view.name, view.pieces)
        self._look("dump", "dump", database.dump())
        self._files("server", place)
        try:
            database.write_out()
            cluster = database.folder()
        except UnreadableError as reason:
            self._leave("heap files and write-ahead log", reason)
        else:
            heap = [cluster / name for name in ("base", "global", "pg_tblspc")]
            log = cluster / "pg_wal"
            self._files("heap files", *heap, *(each.resolve() for each in heap[-1].glob("*")))
            self._files("write-ahead log", log.resolve())
            known = {each.name for each in (*heap, log)}
            self._files("other files of Postgres", *(each for each in cluster.iterdir() if each.name not in known))
        self._files("key store", settings.key_folder)
        if not settings.database_url:
            folder = settings.data_dir
            self._files("data directory", *(each for each in folder.iterdir() if each.name != "postgres"))

    def _files(self, target: str, *places: Path) -> None:
        try:
            for path in below(*places):
                self._look(target, str(path), _named(path))
        except OSError:
            self._leave(target, UnreadableError("its files may not be read by this user"))

    def _look(self, target: str, name: str, content: Iterable[bytes]) -> None:
        target += self.after
        try:
            hits = self._needles.through(self._counted(target, content), target)
        except UnreadableError as reason:
            self.not_scanned[f"{target}: {name}" if name != target else target] = str(reason)
        except OSError:
            self.not_scanned[f"{target}: {name}"] = "it may not be read by this user"
        else:
            self._hits.setdefault(target, []).extend(hits)
            self._targets.setdefault(target, 0)

    def _leave(self, target: str, reason: UnreadableError) -> None:
        self.not_scanned[target + self.after] = str(reason)

    def _counted(self, target: str, content: Iterable[bytes]) -> Iterator[bytes]:
        for piece in content:
            self._targets[target] = self._targets.get(target, 0) + len(piece)
            self.moved(target, self._targets[target])
            yield piece

    def result(self) -> Scan:
        """What it came to."""
        times: dict[tuple[str, str, str], int] = {}
        for target, hits in self._hits.items():
            for hit in hits:
                if hit.name != CONTROL:
                    what = (target, hit.form, hit.name)
                    times[what] = times.get(what, 0) + hit.times
        if self.readable:
            times["profiles after erasing", "answer", "erased person"] = self.readable
        missing = [
            target
            for target in self._targets
            if target.removesuffix(" after erasing") in _MUST
            and CONTROL not in {hit.name for hit in self._hits.get(target, [])}
        ]
        if not self._targets.keys() >= {"rows", "server"}:
            missing.append("the scan itself")
        return Scan(
            "onefold verify --privacy",
            VERSION,
            self._targets,
            self.not_scanned,
            self._canaries.not_planted,
            [Found(*what, count) for what, count in times.items()],
            f"missing in {', '.join(missing)}" if missing else "found",
        )


def _named(path: Path) -> Iterator[bytes]:
    yield os.fsencode(path) + b"\n"
    yield from pieces(path)


async def _close(settings: Settings, url: str, result: Scan) -> None:
    """Clears away what is left of the scratch space, and writes down what came of the scan."""
    spaces = await open_spaces.open_spaces(
        url,
        root_file=settings.root_key_file,
        root_value=settings.root_value,
        key_store=settings.key_folder,
        readers=1,
    )
    try:
        while await purge_deleted(spaces):
            pass
    finally:
        await spaces.database.close()
    await note_scan(url, msgspec.to_builtins(result.told()))


def _print(result: Scan) -> None:
    for target, size in result.targets.items():
        _out.print(f"Scanned {target}: {size} bytes.", markup=False)
    for target, reason in result.not_scanned.items():
        _out.print(f"Not scanned: {target} ({reason}).", markup=False)
    for kind in result.not_planted:
        _out.print(f"Not planted: {kind} (this version does not take it).", markup=False)
    if result.found:
        table = Table("target", "form", "kind of value", "times")
        for found in result.found:
            table.add_row(found.target, found.form, found.kind, str(found.times))
        _out.print(table)
    if result.positive_control != "found":
        _out.print(f"The control, a value in clear, is {result.positive_control}: the scan is void.", markup=False)
    elif not result.found:
        _out.print("Nothing is left in clear; the control was found.")


class _Bar:
    """Shows what is read; nothing is drawn where nobody looks."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description:<40}"), DownloadColumn(binary_units=True), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("planting", total=None)

    def __enter__(self) -> Callable[[str, int], None]:
        self._progress.start()
        return lambda target, size: self._progress.update(self._task, description=target, completed=size)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
