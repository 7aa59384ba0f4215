"""`onefold verify --privacy`: plants values in a scratch space and proves that nothing kept them in clear.

The values come in through a scratch server on the same database. A control, a value in clear, goes into a
table and a file as well: a scan that does not find the control in every place where it must be is void. What
could not be read is listed, never counted as clean; nothing that is printed quotes a value.
"""

import asyncio
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.commands.leak_scan.plant import plant_everything
from app.commands.leak_scan.planted_values import PlantedValues
from app.commands.leak_scan.planter import Planter
from app.commands.leak_scan.privacy_requests import erase_people
from app.commands.leak_scan.scratch_server import scratch_server
from app.commands.leak_scan.search import Search
from app.settings import Settings
from identity.operations.integrity.record_leak_scan import note_scan
from identity.operations.spaces import open_spaces
from identity.operations.spaces.purge_spaces import purge_deleted
from identity.planning.integrity.leak_patterns import LeakPatterns
from identity.store.integrity.leak_scan import ScannedDatabase, open_for_scan, planted_control

VERSION: Final = "1"
CONTROL: Final = "control"
AFTER: Final = " after erasing"
# Where the control has to be found; a scan that does not find it in one of these is void.
_CONTROLLED: Final = ("rows", "statistics", "heap files", "write-ahead log", "dump", "server")
_PAGES: Final = ("/metrics", "/openapi.json", "/healthz", "/readyz")
_out = Console(highlight=False, soft_wrap=True)


class LeakedKind(Struct, frozen=True):
    """A kind of value that was found in clear: in which target, in what form, how often."""

    target: str
    form: str
    kind: str
    times: int


class LeakReport(Struct, frozen=True):
    """The result of a scan. `positive_control` is `found`, or names the targets that lack the control."""

    targets: dict[str, int]
    not_scanned: dict[str, str]
    not_planted: list[str]
    found: list[LeakedKind]
    positive_control: str

    @property
    def status(self) -> int:
        """The status the command ends with: 1 where a value was found, 2 where the scan is void."""
        return 1 if self.found else 0 if self.positive_control == "found" else 2

    def entry(self) -> dict[str, object]:
        """What the ledger, and a receipt, carry of the scan."""
        return {
            "tool": "onefold verify --privacy",
            "version": VERSION,
            "targets": sorted(self.targets),
            "not_scanned": sorted(self.not_scanned),
            "hits": sum(found.times for found in self.found),
            "positive_control": self.positive_control,
        }


def run(settings: Settings, url: str, values: PlantedValues | None = None) -> int:
    """Scan the database with its owner's URL and print the result; returns the status of the command."""
    report = _scan(settings, url, values or PlantedValues())
    asyncio.run(_close(settings, url, report))
    _print(report)
    return report.status


def _scan(settings: Settings, url: str, values: PlantedValues) -> LeakReport:
    embedded = None if settings.database_url else settings.data_dir
    clear = secrets.token_hex(12)
    with (
        tempfile.TemporaryDirectory(prefix="onefold-scan-") as folder,
        open_for_scan(url, embedded) as database,
        planted_control(url, clear) as write_control,
        _ScanProgress() as progress,
    ):
        place = Path(folder)
        (place / "control").write_text(clear)
        with scratch_server(settings, url, place) as ask:
            planter = Planter(values, ask)
            people = plant_everything(planter)
            search = Search(LeakPatterns({**values.by_name, CONTROL: clear}, values.hashed), progress)

            def search_all() -> None:
                # The control is written again each time, since Postgres reuses its log.
                write_control()
                _keep_answers(planter, place)
                _search(search, database, settings, place)

            search_all()
            readable = erase_people(planter, people)
            if readable is None:
                search.leave_out("everything after erasing", "this version erases nobody")
            else:
                search.suffix = AFTER
                search_all()
    return _report(search, planter, readable or 0)


def _keep_answers(planter: Planter, place: Path) -> None:
    """Write down what the server answered, to be searched: refusals, metrics and pages that hold no person."""
    pages = [planter.answer("operator", "GET", path)[1] for path in _PAGES]
    (place / "answers").write_bytes(b"\n".join([*(refusal.content for refusal in planter.refusals), *pages]))


def _search(search: Search, database: ScannedDatabase, settings: Settings, place: Path) -> None:
    """All targets, once."""
    search.rows(database)
    search.statistics(database)
    search.dump(database)
    search.files("server", place)
    search.postgres_files(database)
    search.files("key store", settings.key_folder)
    if not settings.database_url:
        search.files("data directory", *(each for each in settings.data_dir.iterdir() if each.name != "postgres"))


def _report(search: Search, planter: Planter, readable: int) -> LeakReport:
    times: dict[tuple[str, str, str], int] = {}
    for target, hits in search.hits.items():
        for hit in hits:
            if hit.name != CONTROL:
                kind = (target, hit.form, hit.name)
                times[kind] = times.get(kind, 0) + hit.times
    if readable:
        times["profiles after erasing", "answer", "erased person"] = readable
    missing = [
        target
        for target in search.sizes
        if target.removesuffix(AFTER) in _CONTROLLED
        and CONTROL not in {hit.name for hit in search.hits.get(target, [])}
    ]
    if not search.sizes.keys() >= {"rows", "server"}:
        missing.append("the scan itself")
    return LeakReport(
        targets=search.sizes,
        not_scanned=search.not_scanned,
        not_planted=planter.not_planted,
        found=[LeakedKind(*kind, count) for kind, count in times.items()],
        positive_control=f"missing in {', '.join(missing)}" if missing else "found",
    )


async def _close(settings: Settings, url: str, report: LeakReport) -> None:
    """Purge the scratch space, and write the result of the scan into the ledgers."""
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
    await note_scan(url, report.entry())


def _print(report: LeakReport) -> None:
    for target, size in report.targets.items():
        _out.print(f"Scanned {target}: {size} bytes.", markup=False)
    for target, reason in report.not_scanned.items():
        _out.print(f"Not scanned: {target} ({reason}).", markup=False)
    for kind in report.not_planted:
        _out.print(f"Not planted: {kind} (this version or this machine does not take it).", markup=False)
    if report.found:
        table = Table("target", "form", "kind of value", "times")
        for found in report.found:
            table.add_row(found.target, found.form, found.kind, str(found.times))
        _out.print(table)
        _out.print("Planted values are stored in clear; the table names where and of what kind.")
    if report.positive_control != "found":
        _out.print(
            f"The control, a value in clear, is {report.positive_control}: the scan is void and proves nothing.",
            markup=False,
        )
    elif not report.found:
        _out.print("No planted value is stored in clear; the control was found.")


class _ScanProgress:
    """Shows which target is being read; draws nothing where the output is no terminal."""

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
