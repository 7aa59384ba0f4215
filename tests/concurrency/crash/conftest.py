"""Fixtures of the crash tests: a server that a test kills and starts again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes.killable_server import Victim


@pytest.fixture
def victim(migrated_data: Path) -> Iterator[Callable[[int], Victim]]:
    """Starts a server with so many workers on a data directory of its own; nothing of it outlives the test."""
    started: list[Victim] = []

    def start(workers: int) -> Victim:
        started.append(Victim(migrated_data, workers))
        return started[-1]

    yield start
    for each in started:
        each.close()
