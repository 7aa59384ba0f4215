"""The arms: each runs one design under one load on a copy of its template, and counts the rows.

An arm that answers anything but success, or whose rows are not those that the answered requests
must have led to, raises Wrong and ends the run: a fast wrong answer is no result.
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
from benchmarks.ground import Ground
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


class Wrong(Exception):
    """An arm did not do its work."""


@dataclass
class Result:
    """One run of an arm: calls (or reads) a second, from the first request to the last answer.

    CPU in microseconds a call of the server and of the load; latencies in milliseconds;
    `wal` in bytes a call; `facts` is whatever else an arm has to say.
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
        """For the results file."""
        return asdict(self)


@dataclass
class Bench:
    """What arms share: the ground, keys, loads, and how long they run."""

    ground: Ground
    keys: Mapping[str, str]
    workloads: dict[str, Workload]
    reads: Path
    warm: float
    seconds: float
    workers: int
    connections: Mapping[str, int]

    def onefold(self, kind: str) -> Result:
        """Onefold over HTTP."""
        with self.ground.copy("onefold_base", "arm") as url:
            before = self.ground.rows("arm", ROWS)
            with server.onefold(self.ground.data_dir, url, self.workers) as running:
                result, phases = self._collect("onefold", kind, running)
            self._check(kind, phases, before, self.ground.rows("arm", ROWS))
            return result

    def statement(self, kind: str) -> Result:
        """A statement per event, the same rows."""
        with self.ground.copy("onefold_base", "arm") as url:
            before = self.ground.rows("arm", ROWS)
            with self._rival("statement", url, kind) as running:
                result, phases = self._collect("statement", kind, running)
            self._check(kind, phases, before, self.ground.rows("arm", ROWS))
            return result

    def light(self, kind: str) -> Result:
        """The light sequence, four tables."""
        with self.ground.copy("light_base", "arm") as url:
            before = self.ground.rows("arm", light.COUNTS)
            with self._rival("light", url, kind) as running:
                result, phases = self._collect("light", kind, running)
            after = self.ground.rows("arm", light.COUNTS)
            done = self.workloads[kind].expected(sum(phase["requests"] for phase in phases))
            wanted = {
                "calls": before["calls"] + done.calls,
                "profiles": before["profiles"] + done.born - done.merged,
                "identifiers": before["identifiers"] + 3 * done.born,
            }
            _same(wanted, after)
            return result

    def read(self) -> Result:
        """Onefold's read by identifier."""
        with (
            self.ground.copy("onefold_base", "arm") as url,
            server.onefold(self.ground.data_dir, url, self.workers) as running,
        ):
            return self._read("onefold", running)

    def orm(self) -> Result:
        """The same by FastAPI, pydantic and the ORM."""
        with self.ground.copy("onefold_base", "arm") as url, self._rival("orm", url, "read") as running:
            return self._read("orm", running)

    def wal(self, touch: float) -> Result:
        """Bytes of WAL a call once the pages of all users drawn were written: what spaced checkpoints cost."""
        work = self.workloads["wal"]
        with (
            self.ground.copy("onefold_base", "arm") as url,
            server.onefold(self.ground.data_dir, url, self.workers) as running,
        ):
            lines = self.connections["random"]
            (first,) = drive(work.path, running.port, lines, [touch])
            checkpoints, since = self.ground.checkpoints(), self.ground.wal()
            (second,) = drive(work.path, running.port, lines, [self.seconds], at=first["at"])
            until = self.ground.wal()
        calls = second["requests"] * work.calls
        return Result(
            "wal", calls, second["seconds"], calls / second["seconds"],
            wal=(until.bytes - since.bytes) / calls,
            checkpoints=self.ground.checkpoints() - checkpoints,
            facts={
                "calls before": float(first["requests"] * work.calls),
                "full-page images": (until.images - since.images) / calls,
                "records": (until.records - since.records) / calls,
            },
        )  # fmt: skip

    def record(self, kind: str) -> tuple[Path, float, dict[str, int]]:
        """What Onefold's writers send: the recording, when its measured part began, the rows after it."""
        target = self.ground.folder / f"{kind}.recording"
        with self.ground.copy("onefold_base", "arm") as url:
            with (
                recording(self.ground, target, url) as through,
                server.onefold(self.ground.data_dir, through, 1) as running,
            ):
                _, phases = self._collect("record", kind, running)
            rows = self.ground.rows("arm", ROWS)
        return target, float(phases[-1]["begun"]), rows

    def replay(self, recorded: tuple[Path, float, dict[str, int]], *, split: bool = False) -> Result:
        """The same bytes again, without Python."""
        path, mark, rows = recorded
        with self.ground.copy("onefold_base", "arm"):
            checkpoints, wal = self.ground.checkpoints(), self.ground.wal()
            told = _run(
                "benchmarks.replay", str(path), str(self.ground.sockets), "arm", repr(mark), *["--statements"] * split
            )
            after = self.ground.rows("arm", ROWS)
            if told["failure"]:
                raise Wrong(told["failure"])
            _same(rows, after)
            calls = told["calls"]
            return Result(
                "replay", calls, told["seconds"], calls / told["seconds"],
                load_cpu=told["cpu"] / told["all"] * 1e6,
                wal=(self.ground.wal().bytes - wal.bytes) / told["all"],
                checkpoints=self.ground.checkpoints() - checkpoints,
                facts={"batch": told["batch"], **{k: v / told["all"] * 1e6 for k, v in told["spent"].items()}},
            )  # fmt: skip

    def _collect(self, arm: str, kind: str, running: Server) -> tuple[Result, list[dict[str, Any]]]:
        work = self.workloads[kind]
        checkpoints, wal, cpu = self.ground.checkpoints(), self.ground.wal(), running.cpu()
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
            wal=(self.ground.wal().bytes - wal.bytes) / all_calls,
            checkpoints=self.ground.checkpoints() - checkpoints,
        )  # fmt: skip
        return result, phases

    def _read(self, arm: str, running: Server) -> Result:
        # One alone, so that rules and numbers of types are known before many ask at once.
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
            "origins": done.born,
            "profiles": done.born - done.merged,
            "identifiers": 3 * done.born,
            "held": 3 * done.born,
            "subject_keys": done.born,
            "documents": done.born,
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
            "BENCH_DATA_DIR": str(self.ground.data_dir),
        }
        factory = f"benchmarks.rivals.{name}:create"
        with server.rival(factory, self.ground.data_dir, environment, self.workers) as running:
            yield running


@contextmanager
def recording(ground: Ground, target: Path, url: str) -> Iterator[str]:
    """A proxy before Postgres; yields the address through it, writes the recording at the end."""
    with tempfile.TemporaryDirectory(prefix="onefold-wire-") as folder:
        command = [sys.executable, "-m", "benchmarks.wire", str(ground.sockets), folder, str(target)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        try:
            name = url.split("@/", 1)[1].split("?", 1)[0]
            yield f"postgresql://onefold@/{name}?host={folder.replace('/', '%2F')}&port=5432"
        finally:
            process.communicate()
            if process.returncode:
                raise Wrong("the recording failed")


def drive(
    path: Path, port: int, connections: int, phases: list[float], must: str = COLLECTED, at: int = 0
) -> list[dict[str, Any]]:
    """Runs the load; Wrong for any answer that was no success."""
    told = _run("benchmarks.load", str(path), str(at), str(port), str(connections), must, *map(str, phases))
    for phase in told:
        if phase["failures"]:
            raise Wrong(f"an answer was no success: {phase['failures'][0]}")
    return list(told)


def _run(module: str, *arguments: str) -> Any:
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _same(wanted: Mapping[str, int], found: Mapping[str, int]) -> None:
    wrong = [f"{name}: {found[name]:,} and not {count:,}" for name, count in wanted.items() if found[name] != count]
    if wrong:
        raise Wrong("rows are not those expected: " + "; ".join(wrong))
