"""A server whose first process is gone has no workers left that hold its port."""

from pathlib import Path

import psutil
import pytest

from tests.conftest import Running
from tests.crash.victim import Victim


@pytest.mark.parametrize("workers", [2])
def test_workers_leave(tmp_path: Path, processes: list[Running], workers: int) -> None:
    """After a kill -9 of the parent alone its workers end, so that the next start gets the port."""
    victim = Victim(tmp_path / "data", processes, workers)
    orphans = victim.servers()[1:]
    victim.kill_parent()
    _, alive = psutil.wait_procs(orphans, timeout=20)

    assert (len(orphans), alive) == (workers, [])
