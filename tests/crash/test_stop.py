"""SIGTERM under load: what was acknowledged is on disk, and Postgres was stopped in good order."""

import signal
import time
from pathlib import Path

import pytest

from tests.conftest import Running
from tests.crash.load import Load, halves, lost, twice
from tests.crash.victim import Victim


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_under_load(tmp_path: Path, processes: list[Running], workers: int) -> None:
    """It ends with status 0, a clean shut-down of Postgres, and every acknowledged call stored once."""
    victim = Victim(tmp_path / "data", processes, workers)
    space, key = victim.space()
    load = Load(key, seed=workers)
    load.start(victim.running.url)
    time.sleep(1)
    status = victim.running.stop(signal.SIGTERM)
    state = victim.state()
    load.address = victim.again()
    load.finish()
    stored, differences = victim.stored(space)

    assert (status, state) == (0, "shut down")
    assert (lost(load, stored), halves(load, stored), twice(stored)) == ([], [], [])
    assert (load.unexpected, differences) == ([], [])
