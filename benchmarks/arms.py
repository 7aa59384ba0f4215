"""The arms: each runs one design under one load on a copy of its template, and counts the rows.

WrongResult ends the run if an arm answers anything but success, or if its rows differ from those that
the answered requests must produce: a fast wrong answer is no result.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import server
from benchmarks.bench_postgres import BenchPostgres
from benchmarks.rivals import light
from benchmarks.server import ROOT, Server
from benchmarks.workload import Facts, Workload

ROWS = """
SELECT (SELECT count(*) FROM message) AS calls, (SELECT sum(events) FROM profile) AS events,
       (SELECT count(*) FROM profile) AS origins, (SELECT count(*) FROM profile WHERE head = profile_id) AS profiles,
       (SELECT count(*) FROM identifier) AS identifiers, (SELECT count(*) FROM profile_identifier) AS held,
       (SELECT count(*) FROM subject_key) AS subject_keys, (SELECT count(*) FROM profile_document) AS documents,
       (SELECT sum(count) FROM sighting) AS sightings, (SELECT count(*) FROM change) AS changes,
       (SELECT sum(seq) FROM lane_head) AS lanes, (SELECT sum(version) FROM profile_document) AS document_versions,
       (SELECT count(*) FROM evidence) + (SELECT coalesce(sum(calls), 0) FROM event) AS kept
"""
COLLECTED = '"success":true'
READ = '"event_count":'


class WrongResult(Exception):
    """The result of an arm is wrong."""


@dataclass
class Result:
    """One run of an arm: calls (or reads) a second, from the first request to the last answer.

    CPU in microseconds a call of the server and of the load; latencies in milliseconds;
    `wal` in bytes a call; `facts` holds further measurements of an arm.
    """

    arm: str
    calls: int
    seconds: float
    rate: float
    server_cpu: float = 0.0
    load_cpu: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    wal: float = 0.0
    checkpoints: int = 0
    facts: dict[str, float] | None = None

    def plain(self) -> dict[str, Any]:
        """Return the result for the results file."""
        return asdict(self)


@dataclass
class Bench:
    """What arms share: Postgres, keys, loads, and how long they run."""

    postgres: BenchPostgres
    keys: Mapping[str, str]
    workloads: dict[str, Workload]
    reads: Path
    warm: float
    seconds: float
    workers: int
    connections: Mapping[str, int]

    def onefold(self, kind: str) -> Result:
        """Measure Onefold over HTTP."""
        with self.postgres.copy("onefold_base", "arm") as url:
            before = self.postgres.rows("arm", ROWS)
            with server.onefold(self.postgres.data_dir, url, self.workers) as running:
                result, phases = self._collect("onefold", kind, running)
            self._check(kind, phases, before, self.postgres.rows("arm", ROWS))
            return result

    def statement(self, kind: str) -> Result:
        """Measure a statement per event that writes the same rows."""
        with self.postgres.copy("onefold_base", "arm") as url:
            before = self.postgres.rows("arm", ROWS)
            with self._rival("statement", url, kind) as running:
                result, phases = self._collect("statement", kind, running)
            self._check(kind, phases, before, self.postgres.rows("arm", ROWS))
            return result

    def light(self, kind: str) -> Result:
        """Measure the light sequence on four tables."""
        with self.postgres.copy("light_base", "arm") as url:
            before = self.postgres.rows("arm", light.COUNTS)
            with self._rival("light", url, kind) as running:
                result, phases = self._collect("light", kind, running)
            after = self.postgres.rows("arm", light.COUNTS)
            done = self.workloads[kind].expected(sum(phase["requests"] for phase in phases))
            wanted = {
                "calls": before["calls"] + done.calls,
                "profiles": before["profiles"] + done.created - done.merged,
                "identifiers": before["identifiers"] + 3 * done.created,
            }
            _same(wanted, after)
            return result

    def read(self) -> Result:
        """Measure Onefold's read by identifier."""
        with (
            self.postgres.copy("onefold_base", "arm") as url,
            server.onefold(self.postgres.data_dir, url, self.workers) as running,
        ):
            return self._read("onefold", running)

    def orm(self) -> Result:
        """Measure the same read by FastAPI, pydantic and the ORM."""
        with self.postgres.copy("onefold_base", "arm") as url, self._rival("orm", url, "read") as running:
            return self._read("orm", running)

    def wal(self, touch: float) -> Result:
        """Measure the WAL a call once the pages of all drawn users were written, as between spaced checkpoints."""
        work = self.workloads["wal"]
        with (
            self.postgres.copy("onefold_base", "arm") as url,
            server.onefold(self.postgres.data_dir, url, self.workers) as running,
        ):
            lines = self.connections["random"]
            (first,) = drive(work.path, running.port, lines, [touch])
            checkpoints, since = self.postgres.checkpoints(), self.postgres.wal()
            (second,) = drive(work.path, running.port, lines, [self.seconds], at=first["at"])
            until = self.postgres.wal()
        calls = second["requests"] * work.calls
        return Result(
            "wal", calls, second["seconds"], calls / second["seconds"],
            wal=(until.bytes - since.bytes) / calls,
            checkpoints=self.postgres.checkpoints() - checkpoints,
            facts={
                "calls before": float(first["requests"] * work.calls),
                "full-page images": (until.images - since.images) / calls,
                "records": (until.records - since.records) / calls,
            },
        )  # fmt: skip

    def record(self, kind: str) -> tuple[Path, float, dict[str, int]]:
        """Record what Onefold's writers send; returns the recording, when its measured part began, and the rows."""
        target = self.postgres.folder / f"{kind}.recording"
        with self.postgres.copy("onefold_base", "arm") as url:
            with (
                recording(self.postgres, target, url) as through,
                server.onefold(self.postgres.data_dir, through, 1) as running,
            ):
                _, phases = self._collect("record", kind, running)
            rows = self.postgres.rows("arm", ROWS)
        return target, float(phases[-1]["begun"]), rows

    def replay(self, recorded: tuple[Path, float, dict[str, int]], *, split: bool = False) -> Result:
        """Measure the recorded bytes, sent again without Python."""
        path, mark, rows = recorded
        with self.postgres.copy("onefold_base", "arm"):
            checkpoints, wal = self.postgres.checkpoints(), self.postgres.wal()
            report = _run(
                "benchmarks.replay", str(path), str(self.postgres.sockets), "arm", repr(mark), *["--statements"] * split
            )
            after = self.postgres.rows("arm", ROWS)
            if report["failure"]:
                raise WrongResult(report["failure"])
            _same(rows, after)
            calls = report["calls"]
            return Result(
                "replay", calls, report["seconds"], calls / report["seconds"],
                load_cpu=report["cpu"] / report["all"] * 1e6,
                wal=(self.postgres.wal().bytes - wal.bytes) / report["all"],
                checkpoints=self.postgres.checkpoints() - checkpoints,
                facts={"batch": report["batch"], **{k: v / report["all"] * 1e6 for k, v in report["spent"].items()}},
            )  # fmt: skip

    def _collect(self, arm: str, kind: str, running: Server) -> tuple[Result, list[dict[str, Any]]]:
        work = self.workloads[kind]
        checkpoints, wal, cpu = self.postgres.checkpoints(), self.postgres.wal(), running.cpu()
        phases = drive(work.path, running.port, self.connections[kind], [self.warm, self.seconds])
        all_calls = work.expected(sum(phase["requests"] for phase in phases)).calls
        last = phases[-1]
        calls = last["requests"] * work.calls
        result = Result(
            arm, calls, last["seconds"], calls / last["seconds"],
            server_cpu=(running.cpu() - cpu) / all_calls * 1e6,
            load_cpu=last["cpu"] / calls * 1e6,
            p50=last["p50"] * 1e3,
            p99=last["p99"] * 1e3,
            wal=(self.postgres.wal().bytes - wal.bytes) / all_calls,
            checkpoints=self.postgres.checkpoints() - checkpoints,
        )  # fmt: skip
        return result, phases

    def _read(self, arm: str, running: Server) -> Result:
        # One connection first, so that rules and type numbers are loaded before many ask at once.
        drive(self.reads, running.port, 1, [0.05], READ)
        cpu = running.cpu()
        phases = drive(self.reads, running.port, self.connections["read"], [self.warm, self.seconds], READ)
        last = phases[-1]
        done = last["requests"]
        return Result(
            arm, done, last["seconds"], done / last["seconds"],
            server_cpu=(running.cpu() - cpu) / sum(phase["requests"] for phase in phases) * 1e6,
            load_cpu=last["cpu"] / done * 1e6,
            p50=last["p50"] * 1e3,
            p99=last["p99"] * 1e3,
        )  # fmt: skip

    def _check(self, kind: str, phases: list[dict[str, Any]], before: dict[str, int], after: dict[str, int]) -> None:
        done: Facts = self.workloads[kind].expected(sum(phase["requests"] for phase in phases))
        gained = {
            "calls": done.calls,
            "events": done.calls,
            "kept": done.calls,
            "sightings": done.calls,
            "origins": done.created,
            "profiles": done.created - done.merged,
            "identifiers": 3 * done.created,
            "held": 3 * done.created,
            "subject_keys": done.created,
            "documents": done.created,
        }
        _same({name: before[name] + more for name, more in gained.items()}, after)
        _same({"changes": after["lanes"]}, after)

    @contextmanager
    def _rival(self, name: str, url: str, kind: str) -> Iterator[Server]:
        environment = {
            "BENCH_URL": url,
            "BENCH_KEY": self.keys["profiles" if kind == "read" else "write"],
            "BENCH_CONNECTIONS": str(self.connections[kind]),
            "BENCH_READERS": "8",
            "BENCH_DATA_DIR": str(self.postgres.data_dir),
        }
        factory = f"benchmarks.rivals.{name}:create"
        with server.rival(factory, self.postgres.data_dir, environment, self.workers) as running:
            yield running


@contextmanager
def recording(postgres: BenchPostgres, target: Path, url: str) -> Iterator[str]:
    """Run a proxy in front of Postgres; yields the URL through it, writes the recording at the end."""
    with tempfile.TemporaryDirectory(prefix="onefold-wire-") as folder:
        command = [sys.executable, "-m", "benchmarks.wire", str(postgres.sockets), folder, str(target)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        try:
            name = url.split("@/", 1)[1].split("?", 1)[0]
            yield f"postgresql://onefold@/{name}?host={folder.replace('/', '%2F')}&port=5432"
        finally:
            process.communicate()
            if process.returncode:
                raise WrongResult("the recording failed")


def drive(
    path: Path, port: int, connections: int, phases: list[float], must: str = COLLECTED, at: int = 0
) -> list[dict[str, Any]]:
    """Run the load. WrongResult for any answer that was no success."""
    report = _run("benchmarks.load", str(path), str(at), str(port), str(connections), must, *map(str, phases))
    for phase in report:
        if phase["failures"]:
            raise WrongResult(f"an answer was no success: {phase['failures'][0]}")
    return list(report)


def _run(module: str, *arguments: str) -> Any:
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _same(wanted: Mapping[str, int], found: Mapping[str, int]) -> None:
    wrong = [f"{name}: {found[name]:,} and not {count:,}" for name, count in wanted.items() if found[name] != count]
    if wrong:
        raise WrongResult("rows are not those expected: " + "; ".join(wrong))
