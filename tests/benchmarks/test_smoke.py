"""Each arm of the benchmarks, tiny: it runs, answers with success, and leaves the expected rows.

Nothing is timed here. `Bench` itself compares the rows with what the answered requests must lead to
and raises where they differ; two tests check that it does.
"""

import json
import os
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any

import pytest

from benchmarks import arms, server, template, workload
from benchmarks.arms import ROWS, Bench, WrongResult, drive
from benchmarks.bench_postgres import BenchPostgres
from benchmarks.workload import Kind
from tests.support.database import prepared_cluster
from tests.support.processes.forked_program import CAN_FORK, ForkedProgram

PROFILES = 200
KINDS: tuple[Kind, ...] = ("single", "random", "sdk")
LONG = 3_600.0
REQUESTS = {"single": 60, "random": 3, "sdk": 3}


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def forks() -> Iterator[None]:
    """Servers and loads are forks of a process that has loaded what they need, where the system can fork."""
    if not CAN_FORK:
        yield
        return

    def start(command: list[str], environment: Mapping[str, str], errors: IO[bytes]) -> ForkedProgram:
        """Onefold is started by its code, a rival by the module of uvicorn."""
        words, entry = (["serve"], "app.cli:main") if command[1] == "-c" else (command[3:], "uvicorn.main:main")
        return ForkedProgram(words, {**os.environ, **environment}, server.ROOT, entry=entry, errors=errors)

    started = arms._run

    def run(module: str, *arguments: str) -> Any:
        if module != "benchmarks.load":
            # A recording holds objects of the module that is run.
            return started(module, *arguments)
        with TemporaryFile() as output, os.fdopen(os.dup(2), "wb") as errors:
            entry = f"{module}:main"
            program = ForkedProgram(arguments, os.environ, server.ROOT, entry=entry, output=output, errors=errors)
            assert program.wait() == 0
            output.seek(0)
            return json.loads(output.read())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_start", start)
        patch.setattr(arms, "_run", run)
        yield


@pytest.fixture(scope="module")
def bench(prepared: Path, forks: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:  # noqa: ARG001
    """Templates with a few people, and loads that end with their requests."""
    folder = tmp_path_factory.mktemp("bench")
    prepared_cluster.copy(prepared, folder / "data")
    with BenchPostgres(folder) as postgres:
        keys = template.prepare(postgres, PROFILES, 1, lambda _: None)
        works: dict[str, workload.Workload] = {
            k: workload.render(k, postgres.folder, PROFILES, REQUESTS[k], keys["write"], 1) for k in KINDS
        }
        reads = workload.render_reads(postgres.folder, PROFILES, 50, keys["profiles"])
        connections = {"single": 4, "random": 2, "sdk": 2, "read": 4}
        # Loads end when all their requests are answered, long before that time.
        yield Bench(postgres, keys, works, reads, warm=0.0, seconds=LONG, workers=1, connections=connections)


@pytest.mark.parametrize(("arm", "kind"), [("onefold", "single"), ("statement", "random"), ("light", "sdk")])
def test_an_arm_collects_every_call(bench: Bench, arm: str, kind: Kind) -> None:
    """Onefold and its rivals commit all calls of a load, and no row is missing."""
    work = bench.workloads[kind]
    assert getattr(bench, arm)(kind).calls == work.calls * len(work.facts)


def test_a_replay_leads_to_the_rows_of_its_recording(bench: Bench) -> None:
    """The recorded bytes alone lead to the rows that the server wrote."""
    assert bench.replay(bench.record("sdk")).calls == 300


@pytest.mark.parametrize("arm", ["read", "orm"])
def test_an_arm_reads_profiles(bench: Bench, arm: str) -> None:
    """Both readers answer every request with a profile."""
    assert getattr(bench, arm)().calls > 0


def test_rows_that_are_not_expected_end_the_run(bench: Bench) -> None:
    """A database that lacks the rows of answered requests is detected."""
    untouched = bench.postgres.rows(template.ONEFOLD, ROWS)
    with pytest.raises(WrongResult, match="rows are not those expected"):
        bench._check("random", [{"requests": 3}], untouched, untouched)


def test_an_answer_without_success_ends_the_run(bench: Bench) -> None:
    """An answer that is not 200 is no result, however fast it comes."""
    with HTTPServer(("127.0.0.1", 0), _Refusing) as refusing:
        thread = Thread(target=refusing.serve_forever, args=(0.01,))
        thread.start()
        try:
            with pytest.raises(WrongResult, match="no success"):
                drive(bench.workloads["random"].path, refusing.server_port, 1, [LONG])
        finally:
            refusing.shutdown()
            thread.join()


def test_no_user_is_twice_in_a_random_batch() -> None:
    """Each call of a random batch has another user, so that nothing folds."""
    renderer = workload.Renderer(PROFILES, 3)
    _, body, facts = renderer.request("random")
    users = [part.split('"', 1)[0] for part in body.split('"userId":"')[1:]]
    assert (len(users), len(set(users)), facts.calls) == (100, 100, 100)


def test_the_same_seed_gives_the_same_people(tmp_path: Path) -> None:
    """All arms and rounds send the same calls: the draw depends on the seed alone."""
    first, second = (workload.render("sdk", tmp_path, PROFILES, 5, "key", 9, name) for name in ("a", "b"))
    assert first.facts == second.facts
