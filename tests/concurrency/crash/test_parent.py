"""The workers of a server end with its parent process and free the port."""

from collections.abc import Callable

import psutil
import pytest

from tests.support.processes.killable_server import Victim


@pytest.mark.parametrize("workers", [2])
def test_workers_end_when_their_parent_is_killed(victim: Callable[[int], Victim], workers: int) -> None:
    """After a kill -9 of the parent alone its workers end, so that the next start gets the port."""
    server = victim(workers)
    orphans = server.servers()[1:]
    server.kill_parent()
    _, alive = psutil.wait_procs(orphans, timeout=60)

    assert (len(orphans), alive) == (workers, [])
