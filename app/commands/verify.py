"""`onefold verify`: prints what an audit of the spaces found, as a table; the status is 1 if anything differs.

Where nothing differs and a part could not be checked, the status is 2: such an audit proves nothing of that part.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.settings import Settings
from identity.operations.integrity.verify_space import PARTS, Report, verify
from identity.operations.spaces.open_spaces import open_keyring
from identity.planning.integrity.discrepancies import DIFFERENCES
from identity.values.errors import KeyUnavailable, Misconfigured
from identity.vault.keyring import Keyring

_out = Console(highlight=False, soft_wrap=True)


_DIFFERS, _UNCHECKED = 1, 2


def run(url: str, space_ids: Sequence[str], settings: Settings) -> int:
    """Audit these spaces (all where none is named) and print what differs; returns the exit status."""
    return asyncio.run(_run(url, space_ids, settings.key_folder, _keyring(settings)))


def _keyring(settings: Settings) -> Keyring | None:
    """The keys, where the root key is here; None otherwise."""
    try:
        return open_keyring(settings.root_key_file, settings.root_value, settings.key_folder)
    except (KeyUnavailable, Misconfigured):
        return None


async def _run(url: str, space_ids: Sequence[str], key_store: Path, keyring: Keyring | None) -> int:
    reports = []
    with _AuditProgress() as bar:
        async for report in verify(url, space_ids, bar.moved, key_store, keyring):
            reports.append(report)
            bar.next_space()
    for report in reports:
        _print(report)
    if not all(report.found_keys for report in reports):
        _out.print(f"There is no key store in {key_store}, so the keys were not checked.", markup=False)
    elif reports and keyring is None:
        _out.print(
            "The root key is not here or opens another key store, so API keys, sealed values and the journal were not"
            " checked."
        )
    if not reports:
        _out.print("There is no space yet.")
    if any(report.findings for report in reports):
        return _DIFFERS
    return 0 if all(_is_whole(report) for report in reports) else _UNCHECKED


def _is_whole(report: Report) -> bool:
    return report.found_keys and report.found_macs


def _print(report: Report) -> None:
    looked_at = ", ".join(f"{count} {what}" for what, count in report.looked_at.items() if what != "keys")
    if not report.findings:
        limits = "" if _is_whole(report) else " in the rows, and the keys were not checked"
        _out.print(f"{report.space_id}: nothing differs{limits} ({looked_at}).", markup=False)
        return
    table = Table("kind", "rows", "what differs", title=report.space_id, title_justify="left")
    for finding in report.findings:
        table.add_row(finding.kind, str(finding.count), DIFFERENCES[finding.kind])
    _out.print(table)
    for finding in report.findings:
        for example in finding.examples:
            _out.print(f"{finding.kind}: {example}", markup=False)
    if looked_at:
        _out.print(f"Checked {looked_at}.", markup=False)


class _AuditProgress:
    """Shows progress for every part of every space; draws nothing where the output is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(
            *columns, TextColumn("{task.fields[rows]} rows"), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=len(PARTS), rows=0)

    def moved(self, what: str, rows: int) -> None:
        """Show how many rows of a part were read."""
        self._progress.update(self._task, description=what, completed=PARTS.index(what), rows=rows)

    def next_space(self) -> None:
        """Start again for the next space."""
        self._progress.reset(self._task)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
