"""SIGTERM under load: acknowledged calls are on disk, and Postgres shuts down cleanly."""

import signal
import time
from collections.abc import Callable

import pytest

from tests.support.processes.killable_server import Victim
from tests.support.processes.load_clients import Load, halves, lost, twice


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_under_load(victim: Callable[[int], Victim], workers: int) -> None:
    """The server ends with status 0 and a clean shut-down of Postgres, and stores every acknowledged call once."""
    server = victim(workers)
    space, key = server.space()
    load = Load(key, seed=workers)
    load.start(server.running.url)
    time.sleep(0.3)
    status = server.running.stop(signal.SIGTERM)
    state = server.state()
    load.address = server.again()
    load.finish()
    stored, differences = server.stored(space)

    assert (status, state) == (0, "shut down")
    assert (lost(load, stored), halves(load, stored), twice(stored)) == ([], [], [])
    assert (load.unexpected, differences) == ([], [])
