"""Shows where the time goes: the server under cProfile, and each statement of its batches on its own.

cProfile doubles the cost of Python, so only the shares are meaningful. The time of a statement is the
wall-clock time around it when the recorded transactions are sent one statement at a time.
"""

import pstats
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import server
from benchmarks.arms import READ, Bench, drive

TOP = 25


def show(bench: Bench, loads: list[str], console: Console) -> None:
    """Print the profiles of these loads."""
    for kind in loads:
        _python(bench, kind, console)
        if kind != "read":
            _statements(bench, kind, console)


def _python(bench: Bench, kind: str, console: Console) -> None:
    path = bench.postgres.folder / f"{kind}.profile"
    lines = bench.connections[kind]
    with (
        bench.postgres.copy("onefold_base", "arm") as url,
        server.onefold(bench.postgres.data_dir, url, 1, profile=path) as running,
    ):
        if kind == "read":
            drive(bench.reads, running.port, 1, [0.05], READ)
            (phase,) = drive(bench.reads, running.port, lines, [bench.seconds], READ)
            calls = phase["requests"]
        else:
            work = bench.workloads[kind]
            (phase,) = drive(work.path, running.port, lines, [bench.seconds])
            calls = phase["requests"] * work.calls
    stats = pstats.Stats(str(path))
    rows = []
    for (file, line, name), (_, count, own, total, _) in stats.stats.items():  # type: ignore[attr-defined]
        rows.append((own, total, count, f"{_short(file)}:{line} {name}" if line else name))
    spent = sum(own for own, *_ in rows)
    table = Table(title=f"{kind}: Python, µs a call, shares under cProfile ({calls:,} calls)", title_justify="left")
    for name in ("own", "with callees", "times", "share", "where"):
        table.add_column(name, justify="left" if name == "where" else "right")
    for own, total, count, where in sorted(rows, reverse=True)[:TOP]:
        values = (
            f"{own / calls * 1e6:.2f}",
            f"{total / calls * 1e6:.2f}",
            f"{count / calls:.2f}",
            f"{own / spent:.1%}",
        )
        table.add_row(*values, where)
    console.print(table)


def _statements(bench: Bench, kind: str, console: Console) -> None:
    replayed = bench.replay(bench.record(kind), split=True)
    facts = dict(replayed.facts or {})
    table = Table(title=f"{kind}: statements, batches of {facts.pop('batch'):.0f} calls", title_justify="left")
    table.add_column("µs a call", justify="right")
    table.add_column("statement")
    for name, value in sorted(facts.items(), key=lambda item: -item[1]):
        table.add_row(f"{value:.2f}", name)
    table.add_row(f"{sum(facts.values()):.2f}", "all")
    console.print(table)


def _short(file: str) -> str:
    parts = Path(file).parts
    for mark in ("identity", "app", "site-packages"):
        if mark in parts:
            return "/".join(parts[parts.index(mark) :][-3:])
    return "/".join(parts[-2:])
