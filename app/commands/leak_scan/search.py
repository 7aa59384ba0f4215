"""Searches target after target for planted values, and keeps what was found and what could not be read.

A target that may not be read is listed with the reason, never counted as clean.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from identity.planning.integrity.leak_patterns import Hit, LeakPatterns
from identity.store.integrity.data_files import below, pieces
from identity.store.integrity.leak_scan import ScannedDatabase, UnreadableError

_ELSEWHERE = "heap files and write-ahead log"


class Search:
    """A search for the same values in many targets. `suffix` is appended to the name of each target."""

    def __init__(
        self, patterns: LeakPatterns, progress: Callable[[str, int], None] = lambda _target, _size: None
    ) -> None:
        self.suffix = ""
        self.sizes: dict[str, int] = {}
        self.hits: dict[str, list[Hit]] = {}
        self.not_scanned: dict[str, str] = {}
        self._patterns = patterns
        self._progress = progress

    def rows(self, database: ScannedDatabase) -> None:
        """Every table, as rows."""
        for table in database.tables():
            self._look("rows", table.name, table.pieces)

    def statistics(self, database: ScannedDatabase) -> None:
        """The views in which Postgres keeps samples of values and texts of statements."""
        for view in database.views():
            self._look("statistics", view.name, view.pieces)

    def dump(self, database: ScannedDatabase) -> None:
        """What pg_dump writes."""
        self._look("dump", "dump", database.dump())

    def postgres_files(self, database: ScannedDatabase) -> None:
        """The files of Postgres: tables and indexes, the write-ahead log, and all others."""
        try:
            database.write_out()
            folder = database.folder()
        except UnreadableError as reason:
            self.leave_out(_ELSEWHERE, str(reason))
            return
        heap = [folder / name for name in ("base", "global", "pg_tblspc")]
        log = folder / "pg_wal"
        self.files("heap files", *heap, *(each.resolve() for each in heap[-1].glob("*")))
        self.files("write-ahead log", log.resolve())
        known = {each.name for each in (*heap, log)}
        self.files("other files of Postgres", *(each for each in folder.iterdir() if each.name not in known))

    def files(self, target: str, *places: Path) -> None:
        """Files by their names and contents; a folder counts with everything below it."""
        try:
            for path in below(*places):
                self._look(target, str(path), _with_name(path))
        except OSError:
            self.leave_out(target, "its files may not be read by this user")

    def text(self, target: str, content: bytes) -> None:
        """Some bytes."""
        self._look(target, target, (content,))

    def leave_out(self, target: str, reason: str) -> None:
        """List a target as not scanned."""
        self.not_scanned[target + self.suffix] = reason

    def _look(self, target: str, name: str, content: Iterable[bytes]) -> None:
        target += self.suffix
        try:
            hits = self._patterns.search_pieces(self._counted(target, content), name)
        except UnreadableError as reason:
            self.not_scanned[f"{target}: {name}" if name != target else target] = str(reason)
        except OSError:
            self.not_scanned[f"{target}: {name}"] = "it may not be read by this user"
        else:
            self.hits.setdefault(target, []).extend(hits)
            self.sizes.setdefault(target, 0)

    def _counted(self, target: str, content: Iterable[bytes]) -> Iterator[bytes]:
        for piece in content:
            self.sizes[target] = self.sizes.get(target, 0) + len(piece)
            self._progress(target, self.sizes[target])
            yield piece


def _with_name(path: Path) -> Iterator[bytes]:
    yield os.fsencode(path) + b"\n"
    yield from pieces(path)
