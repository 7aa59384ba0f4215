"""kill -9 at random moments under load: each acknowledged call is stored once, and no call is half-applied."""

import random
import secrets
import time
from collections.abc import Callable, Sequence

import pytest

from tests.support.processes.killable_server import Victim
from tests.support.processes.load_clients import Load, halves, lost, twice

KINDS = ("server", "parent", "worker", "postmaster", "backend", "postgres", "everything")
SHORT, LONG = 0.3, 1.0  # seconds of load between two kills, at most
SOAK_ROUNDS = 14


def crash(victim: Victim, kinds: Sequence[str], longest: float, report: Callable[[str], None] = lambda _: None) -> None:
    """One round: a fresh space under load, a kill of each kind, then the whole comparison."""
    seed = secrets.randbits(32)
    chance = random.Random(seed)
    space, key = victim.space()
    load = Load(key, seed)
    load.start(victim.again())
    try:
        for kind in kinds:
            time.sleep(chance.uniform(0, longest))
            getattr(victim, f"kill_{kind}")()
            report(f"killed {kind}, {len(load.acknowledged)} calls acknowledged so far")
            # Now and then the next kill comes while the last one is still being mended.
            if chance.random() < 0.7:
                load.address = victim.again()
                victim.wait_ready()
        load.address = victim.again()
        victim.wait_ready()
    finally:
        load.finish()
    stored, differences = victim.stored(space)
    assert load.acknowledged
    assert (lost(load, stored), halves(load, stored), twice(stored)) == ([], [], [])
    assert differences == []
    assert load.unexpected == []


@pytest.mark.parametrize(
    ("workers", "kinds"),
    [(1, ("everything", "postgres", "server", "backend")), (2, ("worker", "postmaster", "parent"))],
)
def test_nothing_acknowledged_is_lost_when_processes_are_killed(
    victim: Callable[[int], Victim], workers: int, kinds: Sequence[str]
) -> None:
    """A kill of each part: nothing acknowledged is lost or doubled, nothing is half-applied."""
    crash(victim(workers), kinds, SHORT)


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_over_a_hundred_kills(
    victim: Callable[[int], Victim], capsys: pytest.CaptureFixture[str]
) -> None:
    """A hundred kills, on one data directory, of one and of two workers in turn."""
    server = victim(1)
    killed = 0

    def report(what: str) -> None:
        nonlocal killed
        killed += 1
        with capsys.disabled():
            print(f"{killed:4} of {SOAK_ROUNDS * (len(KINDS) + 1)}: {what}", flush=True)  # noqa: T201 (its progress)

    for number in range(SOAK_ROUNDS):
        server.workers = 1 + number % 2
        server.kill_server()
        report("killed server, to begin a round")
        server.again()
        crash(server, random.sample(KINDS, len(KINDS)), LONG, report)
    assert server.stop() == 0
    assert server.state() == "shut down"
    assert killed >= 100
