"""`make bench`: all arms in rounds, side by side on one Postgres, then the ratios.

    python -m benchmarks [--quick] [--rounds N] [--seconds S] [--profiles N] [--loads random,single]

The status is 1 when the result of an arm is wrong. A ratio below its mark is shown and is no error.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import profile, report, template, workload
from benchmarks.arms import Bench, Result, WrongResult
from benchmarks.bench_postgres import BenchPostgres

CONNECTIONS = {"single": 64, "random": 16, "sdk": 16, "read": 64}
# More requests a second than any arm could answer; they are rendered before any clock starts.
CEILING = {"single": 6_000, "random": 120, "sdk": 400}
RESULTS = Path(__file__).parent / "results"

# So few that all their pages are written in the seconds before the measurement.
WAL_USERS = 10_000
WAL_TOUCH = 10.0


def main() -> int:
    """Run what the command line asks for."""
    wanted = _arguments()
    console = Console()
    with _folder(wanted.folder) as folder, BenchPostgres(folder) as postgres:
        try:
            return _run(wanted, postgres, console)
        except WrongResult as wrong:
            console.print(f"[bold red]The run failed:[/] {wrong}")
            return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5,000 profiles, one round, arms of 4 seconds")
    parser.add_argument("--rounds", type=int, help="how many times each arm runs [3]")
    parser.add_argument("--seconds", type=float, help="how many seconds each arm is measured [20]")
    parser.add_argument("--profiles", type=int, help="users that exist before the measurement [100,000]")
    parser.add_argument("--workers", type=int, default=1, help="processes of each server [1]")
    parser.add_argument("--loads", default="random,single,sdk,read", help="loads to measure, separated by commas")
    parser.add_argument(
        "--arms", default="onefold,replay,statement,light,orm", help="arms to measure, separated by commas"
    )
    parser.add_argument("--no-wal", action="store_true", help="do not measure the WAL a call with spaced checkpoints")
    parser.add_argument("--profile", action="store_true", help="show where the time goes, instead of the rates")
    parser.add_argument("--folder", type=Path, help="folder to keep the templates in and to take them from")
    wanted = parser.parse_args()
    wanted.rounds = wanted.rounds or (1 if wanted.quick else 3)
    wanted.seconds = wanted.seconds or (4.0 if wanted.quick else 20.0)
    wanted.profiles = wanted.profiles or (5_000 if wanted.quick else 100_000)
    return wanted


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    made = Path(tempfile.mkdtemp(prefix="onefold-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _run(wanted: argparse.Namespace, postgres: BenchPostgres, console: Console) -> int:
    keys = template.prepare(postgres, wanted.profiles, wanted.workers, console.print)
    loads = wanted.loads.split(",")
    bench = _bench(wanted, postgres, keys, loads)
    settings = {name: getattr(wanted, name) for name in ("profiles", "rounds", "seconds", "workers", "loads", "arms")}
    about = report.circumstances(
        {**settings, "warm-up": bench.warm, "connections": CONNECTIONS, "database MB": postgres.size(template.ONEFOLD)},
        postgres.version(),
    )
    if wanted.profile:
        profile.show(bench, loads, console)
        return 0
    steps = _steps(bench, loads, wanted.arms.split(","))
    results: dict[tuple[str, str], list[Result]] = {(kind, arm): [] for kind, arm, _ in steps}
    wal = None
    total = wanted.rounds * len(steps) + (not wanted.no_wal)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total)
        for turn in range(wanted.rounds):
            # Every other round runs backwards, so that no arm always follows the same one.
            for kind, arm, step in steps if turn % 2 == 0 else reversed(steps):
                progress.update(task, description=f"round {turn + 1}, {report.KINDS[kind]}: {arm}")
                result = step()
                results[kind, arm].append(result)
                progress.console.print(f"  {kind:>7} {arm:<10} {result.rate:>9,.0f}/s")
                progress.advance(task)
        if not wanted.no_wal:
            progress.update(task, description="WAL a call with spaced checkpoints")
            wal = bench.wal(WAL_TOUCH)
            progress.advance(task)
    for name in ("at", "commit", "cores", "load before", "python", "state"):
        console.print(f"{name}: {about[name]}")
    console.print("Postgres: " + ", ".join(f"{k} {v}" for k, v in about["postgres"].items()))
    ratios = report.show(results, wal, console)
    path = report.write(RESULTS, {
        "circumstances": about,
        "runs": {f"{kind} {arm}": [run.plain() for run in runs] for (kind, arm), runs in results.items()},
        "ratios": ratios,
        "wal": wal and wal.plain(),
    })  # fmt: skip
    console.print(f"The results are in {path}")
    return 0


def _bench(wanted: argparse.Namespace, postgres: BenchPostgres, keys: dict[str, str], loads: list[str]) -> Bench:
    warm = min(5.0, wanted.seconds / 2)
    seed = int(time.time())
    works: dict[str, workload.Workload] = {}
    kinds: tuple[workload.Kind, ...] = ("random", "single", "sdk")
    for kind in kinds:
        if kind in loads or (kind == "random" and wanted.profile):
            count = int(CEILING[kind] * (warm + wanted.seconds))
            works[kind] = workload.render(kind, postgres.folder, wanted.profiles, count, keys["write"], seed)
    if not wanted.no_wal and not wanted.profile:
        count = int(CEILING["random"] * (WAL_TOUCH + wanted.seconds))
        few = min(wanted.profiles, WAL_USERS)
        works["wal"] = workload.render("random", postgres.folder, few, count, keys["write"], seed + 1, "wal")
    reads = workload.render_reads(
        postgres.folder, wanted.profiles, int(5_000 * (warm + wanted.seconds)), keys["profiles"]
    )
    return Bench(postgres, keys, works, reads, warm, wanted.seconds, wanted.workers, CONNECTIONS)


def _steps(bench: Bench, loads: list[str], arms: list[str]) -> list[tuple[str, str, Callable[[], Result]]]:
    steps: list[tuple[str, str, Callable[[], Result]]] = []
    recorded: dict[str, Any] = {}

    def replay(kind: str) -> Result:
        # Recorded once: the same bytes fit every fresh copy of the template.
        if kind not in recorded:
            recorded[kind] = bench.record(kind)
        return bench.replay(recorded[kind])

    ways: dict[str, Callable[[str], Result]] = {
        "onefold": bench.onefold,
        "replay": replay,
        "statement": bench.statement,
        "light": bench.light,
    }
    for kind in ("random", "single", "sdk"):
        if kind in loads:
            steps += [(kind, arm, partial(way, kind)) for arm, way in ways.items() if arm in arms]
    if "read" in loads:
        readers = {"onefold": bench.read, "orm": bench.orm}
        steps += [("read", arm, reader) for arm, reader in readers.items() if arm in arms]
    return steps


if __name__ == "__main__":
    sys.exit(main())
