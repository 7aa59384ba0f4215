"""The life of the server: its start, its end, and what it does after a crash."""

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from identity.store.embedded import postmaster
from tests.conftest import ROOT, Running, launch
from tests.support.processes.command_line import run_entry
from tests.support.processes.forked_program import command_of

ENTRY = "tests.support.processes.stand_in_server:main"
Start = Callable[..., Running]


@pytest.fixture
def start(migrated_data: Path, processes: list[Running]) -> Start:
    """Starts a server of the stand-in on an embedded Postgres of its own."""

    def _start(**environment: str) -> Running:
        running = launch(command_of(ENTRY), migrated_data, environment)
        processes.append(running)
        return running

    return _start


def serving(running: Running) -> psutil.Process | None:
    """The Postgres of a server."""
    return postmaster.find(running.data_dir.resolve() / "postgres")


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_requests_finish_and_ends_server_and_postgres(
    start: Start, workers: str, order: signal.Signals
) -> None:
    """The server answers once it announces that it is ready; a stop waits for a request in progress, status 0."""
    running = start(ONEFOLD_WORKERS=workers)
    with httpx.stream("GET", running.url + "/slow", timeout=60) as answer:
        pieces = answer.iter_bytes()
        assert next(pieces) == b"begun "
        status = running.stop(order)
        rest = b"".join(pieces)

    assert (answer.status_code, rest.isdigit(), status) == (200, True, 0)
    assert serving(running) is None


def test_a_hangup_does_not_stop_the_server(start: Start) -> None:
    """Closing the terminal sends one."""
    running = start()
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)

    assert httpx.get(running.url, timeout=60).status_code == 200


def test_a_killed_postgres_is_started_again(start: Start) -> None:
    """Under the running server."""
    running = start()
    before = serving(running)
    assert before
    before.kill()
    while (now := serving(running)) is None or now.pid == before.pid:
        time.sleep(0.05)

    assert httpx.get(running.url, timeout=60).status_code == 200
    assert running.stop() == 0


def test_the_next_start_adopts_the_postgres_of_a_killed_server(start: Start) -> None:
    """And stops it at its end."""
    first = start()
    orphan = serving(first)
    first.kill()
    second = start()

    assert (orphan, orphan) == (serving(second), serving(first))
    assert second.stop() == 0
    assert serving(second) is None


def test_a_second_server_shares_postgres_and_leaves_it_running(start: Start) -> None:
    """Both use the same data directory."""
    first, second = start(), start()

    assert second.stop() == 0
    assert serving(first) is not None
    assert httpx.get(first.url, timeout=60).status_code == 200


def fails(data_dir: Path, **environment: str) -> tuple[int, str]:
    """Start where the start must fail; returns the status and the output."""
    status, output, errors = run_entry(ENTRY, ROOT, ONEFOLD_DATA_DIR=str(data_dir), **environment)
    return status, output + errors


def test_a_port_in_use_ends_the_start_with_one_line(migrated_data: Path) -> None:
    """Nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        status, output = fails(migrated_data, ONEFOLD_PORT=port)

    begin = f"onefold: Port {port} is in use by another program; stop it, or take another port: onefold serve --port "
    assert (status, output.startswith(begin), len(output.splitlines())) == (1, True, 1)
    assert postmaster.find(migrated_data / "postgres") is None


@pytest.mark.parametrize("workers", ["1", "2"])
def test_each_worker_raises_its_limit_of_open_files(start: Start, workers: str) -> None:
    """To as many as it may have connections, and never lower than before."""
    running = start(ONEFOLD_CONNECTIONS="1000", ONEFOLD_WORKERS=workers, STANDIN_FILES="256,2000")
    worker = psutil.Process(int(httpx.get(running.url, timeout=60).text))

    soft, hard = worker.rlimit(psutil.RLIMIT_NOFILE)
    assert 1_000 < soft <= hard == 2_000


def test_a_start_without_enough_open_files_names_the_remedy(migrated_data: Path) -> None:
    """One line, which names the limit."""
    status, output = fails(migrated_data, ONEFOLD_CONNECTIONS="1000", ONEFOLD_PORT="0", STANDIN_FILES="256,512")

    assert status == 1
    assert output.startswith("onefold: ONEFOLD_CONNECTIONS needs ")
    assert "512" in output
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_application_that_fails_to_start_ends_with_status_1(migrated_data: Path, workers: str) -> None:
    """Its message is not in the log."""
    status, output = fails(migrated_data, ONEFOLD_PORT="0", ONEFOLD_WORKERS=workers, STANDIN_FAILS="1")

    assert status == 1
    assert ("planted" in output, "ready" in output) == (False, False)
    assert postmaster.find(migrated_data / "postgres") is None


def test_the_created_operator_token_is_kept(start: Start) -> None:
    """Without ONEFOLD_ADMIN_TOKEN one is created, readable by its owner only, and used again."""
    kept = []
    for _ in range(2):
        running = start(ONEFOLD_ADMIN_TOKEN="")
        path = running.data_dir / "admin-token"
        kept.append((path.read_text(), path.stat().st_mode & 0o777))
        running.stop()

    assert kept[0] == kept[1]
    assert kept[0][1] == 0o600
