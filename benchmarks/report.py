"""Reports the results: medians with minimum and maximum, and the ratios beside their marks.

A ratio is taken round by round between arms that ran one after the other, and its median is shown,
since the speed of a machine changes within minutes.
"""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.arms import Result

Results = Mapping[tuple[str, str], Sequence[Result]]
KINDS = {
    "random": "batches of 100, random users",
    "single": "single calls, 64 connections",
    "sdk": "batches of 100, 5 users x 20",
    "read": "reads by identifier",
}
_PACKAGES = (
    "psycopg",
    "uvicorn",
    "uvloop",
    "httptools",
    "msgspec",
    "cryptography",
    "fastapi",
    "pydantic",
    "sqlalchemy",
)


class Mark(NamedTuple):
    """A ratio of (kind, arm) over (kind, arm), and the least it should be."""

    work: str
    floor: str
    of: tuple[str, str]
    to: tuple[str, str]
    least: float | None
    aim: str


_RANDOM, _SINGLE, _SDK = "ingest, batches, random users", "ingest, single calls", "ingest, SDK-shaped batches"
_FLOOR, _STATEMENT, _LIGHT = "its own SQL without Python", "statement per event", "light sequence"
MARKS = (
    Mark(_RANDOM, _FLOOR, ("random", "onefold"), ("random", "replay"), 0.45, "0.65"),
    Mark(_RANDOM, _STATEMENT, ("random", "onefold"), ("random", "statement"), 6.0, "10"),
    Mark(_SINGLE, _STATEMENT, ("single", "onefold"), ("single", "statement"), 4.0, "6"),
    Mark(_RANDOM, _LIGHT, ("random", "onefold"), ("random", "light"), None, "6"),
    Mark(_SINGLE, _LIGHT, ("single", "onefold"), ("single", "light"), None, "4"),
    Mark(_SDK, "own random batches", ("sdk", "onefold"), ("random", "onefold"), 2.5, "3.5"),
    Mark(_SDK, _FLOOR, ("sdk", "onefold"), ("sdk", "replay"), None, ""),
    Mark(_SDK, _STATEMENT, ("sdk", "onefold"), ("sdk", "statement"), None, ""),
    Mark(_SDK, _LIGHT, ("sdk", "onefold"), ("sdk", "light"), None, ""),
    Mark("read by identifier", "FastAPI + pydantic + ORM", ("read", "onefold"), ("read", "orm"), 2.0, "4"),
)  # fmt: skip


def show(results: Results, wal: Result | None, console: Console) -> list[dict[str, Any]]:
    """Print both tables; returns the ratios."""
    table = Table(title="Calls a second: median (min to max)", title_justify="left")
    for name in ("load", "arm", "calls/s", "p50 ms", "p99 ms", "server µs", "load µs", "WAL B", "checkpoints"):
        table.add_column(name, justify="left" if name in ("load", "arm") else "right")
    for (kind, arm), runs in results.items():
        rates = [run.rate for run in runs]

        def middle(values: Sequence[float], form: str = ",.0f") -> str:
            return format(median(values), form) if any(values) else "-"

        table.add_row(
            KINDS[kind],
            arm,
            f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})",
            middle([run.p50 for run in runs], ",.1f"),
            middle([run.p99 for run in runs], ",.1f"),
            middle([run.server_cpu for run in runs]),
            middle([run.load_cpu for run in runs], ",.1f"),
            middle([run.wal for run in runs]),
            str(sum(run.checkpoints for run in runs)),
        )
    console.print(table)
    found = [ratio for mark in MARKS if (ratio := _ratio(mark, results))]
    table = Table(title="Ratios of the same rounds: median (min to max)", title_justify="left")
    for name in ("work", "beside", "ratio", "at least", "aim", ""):
        table.add_column(name, justify="right" if name == "ratio" else "left")
    for ratio in found:
        least = ratio["least"]
        table.add_row(
            ratio["work"],
            ratio["beside"],
            f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})",
            "reported" if least is None else f"{least:g}",
            ratio["aim"],
            "" if least is None else "yes" if ratio["median"] >= least else "NO",
        )
    if wal:
        held = "yes" if wal.wal <= 4000 else "NO"
        table.add_row("WAL a call, spaced checkpoints", "absolute", f"{wal.wal:,.0f} B", "<= 4,000", "3,000", held)
    console.print(table)
    if wal and wal.facts:
        console.print("WAL a call: " + ", ".join(f"{name} {value:,.2f}" for name, value in wal.facts.items()))
    return found


def _ratio(mark: Mark, results: Results) -> dict[str, Any] | None:
    mine, theirs = results.get(mark.of), results.get(mark.to)
    if not mine or not theirs:
        return None
    ratios = [a.rate / b.rate for a, b in zip(mine, theirs, strict=False)]
    return {
        "work": mark.work,
        "beside": mark.floor,
        "median": median(ratios),
        "min": min(ratios),
        "max": max(ratios),
        "least": mark.least,
        "aim": mark.aim,
    }


def circumstances(settings: Mapping[str, Any], postgres: Mapping[str, Any]) -> dict[str, Any]:
    """Return where, when, with what and on which commit the run took place."""
    root = Path(__file__).parents[1]

    def git(*order: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *order], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": git("rev-parse", "--short", "HEAD") + ("+changes" if git("status", "--porcelain") else ""),
        "cores": os.cpu_count(),
        "load before": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "postgres": dict(postgres),
        "state": "warm (all pages read, a warm-up before the clock), just after a checkpoint",
        **settings,
    }


def write(folder: Path, run: Mapping[str, Any]) -> Path:
    """Write a run as JSON."""
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    path = folder / f"{run['circumstances']['at'].replace(':', '')}.json"
    path.write_text(json.dumps(run, indent=1, default=str) + "\n")
    return path
