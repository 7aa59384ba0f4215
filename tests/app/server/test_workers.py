"""The worker processes of a server: one that dies is replaced."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import Running, launch
from tests.support.processes.forked_program import command_of

Start = Callable[..., Running]


@pytest.fixture
def start(migrated_data: Path, processes: list[Running]) -> Start:
    """Starts a server of two workers over the stand-in."""

    def _start(**environment: str) -> Running:
        command = command_of("tests.support.processes.stand_in_server:main")
        processes.append(launch(command, migrated_data, {"ONEFOLD_WORKERS": "2", **environment}))
        return processes[-1]

    return _start


def test_a_killed_worker_is_replaced(start: Start) -> None:
    """The other worker continues."""
    running = start()
    dead = int(httpx.get(running.url, timeout=60).text)
    os.kill(dead, signal.SIGKILL)
    seen: set[str] = set()
    while len(seen) < 2:
        seen.add(httpx.get(running.url, timeout=60).text)
        time.sleep(0.02)

    assert str(dead) not in seen


def test_a_worker_that_cannot_be_replaced_yet_is_replaced_later(start: Start, tmp_path: Path) -> None:
    """As when the database is away for a moment; the other worker continues."""
    away = tmp_path / "away"
    running = start(STANDIN_AWAY=str(away))
    away.touch()
    dead = int(httpx.get(running.url, timeout=60).text)
    os.kill(dead, signal.SIGKILL)
    while len(away.read_text().splitlines()) < 2:
        assert httpx.get(running.url, timeout=60).status_code == 200
        time.sleep(0.05)
    away.unlink()
    seen: set[str] = set()
    while len(seen - {str(dead)}) < 2:
        seen.add(httpx.get(running.url, timeout=60).text)
        time.sleep(0.02)

    assert running.stop() == 0
