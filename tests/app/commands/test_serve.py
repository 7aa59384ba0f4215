"""The server's life: ready when it says so, finished before it stops, back after a crash."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from identity.store.embedded import postmaster
from tests.conftest import ROOT, Running, launch

SERVE = """
import sys
from app import settings
from app.commands import serve
from app.cli import report
if __name__ == "__main__":
    with report():
        serve.run(settings.load(), application="tests.support.stand_in_app:application", migrate=lambda url: None)
"""
COMMAND = [sys.executable, "-c", SERVE]
Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, processes: list[Running]) -> Start:
    """Starts a server of the stand-in on an embedded Postgres of its own."""

    def _start(**environment: str) -> Running:
        running = launch(COMMAND, tmp_path / "data", environment)
        processes.append(running)
        return running

    return _start


def serving(running: Running) -> psutil.Process | None:
    """The Postgres of a server."""
    return postmaster.find(running.data_dir.resolve() / "postgres")


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_clean_stop(start: Start, workers: str, order: signal.Signals) -> None:
    """It answers once it says that it is ready, and a stop ends it and Postgres with status 0."""
    running = start(ONEFOLD_WORKERS=workers)

    assert httpx.get(running.url).status_code == 200
    assert running.stop(order) == 0
    assert serving(running) is None


def test_hangup_is_harmless(start: Start) -> None:
    """Closing its terminal does not stop it."""
    running = start()
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)

    assert httpx.get(running.url).status_code == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_finishes_requests(start: Start, workers: str) -> None:
    """A request that is under way when the stop comes is answered."""
    running = start(ONEFOLD_WORKERS=workers)
    answers: list[int] = []
    client = threading.Thread(target=lambda: answers.append(httpx.get(running.url + "/slow").status_code))
    client.start()
    time.sleep(0.4)
    running.stop()
    client.join()

    assert answers == [200]


def test_dead_worker_returns(start: Start) -> None:
    """A worker that is killed is replaced, and the others go on."""
    running = start(ONEFOLD_WORKERS="2")
    dead = int(httpx.get(running.url).text)
    os.kill(dead, signal.SIGKILL)
    seen: set[str] = set()
    while len(seen) < 2:
        seen.add(httpx.get(running.url).text)

    assert str(dead) not in seen


def test_dead_postgres_returns(start: Start) -> None:
    """A Postgres that is killed is started again under the running server."""
    running = start()
    before = serving(running)
    assert before
    before.kill()
    while (now := serving(running)) is None or now.pid == before.pid:
        time.sleep(0.05)

    assert httpx.get(running.url).status_code == 200
    assert running.stop() == 0


def test_next_start_adopts(start: Start) -> None:
    """After a kill -9 of the server, the next one takes its Postgres over and stops it at its end."""
    first = start()
    orphan = serving(first)
    first.kill()
    second = start()

    assert (orphan, orphan) == (serving(second), serving(first))
    assert second.stop() == 0
    assert serving(second) is None


def test_second_server_attaches(start: Start) -> None:
    """A second server on the same data directory shares its Postgres and leaves it running."""
    first, second = start(), start()

    assert second.stop() == 0
    assert serving(first) is not None
    assert httpx.get(first.url).status_code == 200


def fails(tmp_path: Path, command: list[str] = COMMAND, **environment: str) -> tuple[int, str]:
    """A start that must fail: its status, and all that it said."""
    own = {"ONEFOLD_DATA_DIR": str(tmp_path / "data"), **environment}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **own},
        text=True,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def test_port_in_use(tmp_path: Path) -> None:
    """A port that is taken ends the start with one line that says so, and leaves nothing running."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        status, said = fails(tmp_path, ONEFOLD_PORT=port)

    assert (status, said) == (
        1,
        f"onefold: Port {port} is in use by another program; stop it, or choose another with --port.\n",
    )
    assert postmaster.find(tmp_path / "data" / "postgres") is None


def few_files(soft: int, hard: int) -> list[str]:
    """The server, started where a process may open so many files, and may allow itself so many."""
    limit = f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
    return [sys.executable, "-c", limit + SERVE]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_room_for_connections(tmp_path: Path, processes: list[Running], workers: str) -> None:
    """Each worker allows itself as many files as it may have connections, and no fewer than before."""
    environment = {"ONEFOLD_CONNECTIONS": "1000", "ONEFOLD_WORKERS": workers}
    running = launch(few_files(256, 2_000), tmp_path / "data", environment)
    processes.append(running)
    worker = psutil.Process(int(httpx.get(running.url).text))

    soft, hard = worker.rlimit(psutil.RLIMIT_NOFILE)
    assert 1_000 < soft <= hard == 2_000


def test_no_room_for_connections(tmp_path: Path) -> None:
    """Where the system does not allow that, the start ends with a line that says what to do."""
    status, said = fails(tmp_path, few_files(256, 512), ONEFOLD_CONNECTIONS="1000", ONEFOLD_PORT="0")

    assert status == 1
    assert said.startswith("onefold: ONEFOLD_CONNECTIONS needs ")
    assert "512" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_failing_application(tmp_path: Path, workers: str) -> None:
    """An application that does not come up ends the server with status 3, its words kept out of the log."""
    status, said = fails(tmp_path, ONEFOLD_PORT="0", ONEFOLD_WORKERS=workers, STANDIN_FAILS="1")

    assert status == 3
    assert ("planted" in said, "ready" in said) == (False, False)
    assert postmaster.find(tmp_path / "data" / "postgres") is None


def test_operator_token_is_kept(start: Start) -> None:
    """Without ONEFOLD_ADMIN_TOKEN one is made, readable by its owner only, and used again."""
    kept = []
    for _ in range(2):
        running = start(ONEFOLD_ADMIN_TOKEN="")
        path = running.data_dir / "admin-token"
        kept.append((path.read_text(), path.stat().st_mode & 0o777))
        running.stop()

    assert kept[0] == kept[1]
    assert kept[0][1] == 0o600
