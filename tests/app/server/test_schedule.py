"""The schedule: which tasks run where, and what a failure of one does to the others."""

import asyncio
from contextlib import suppress

import pytest

from app.server import schedule as schedule_module
from app.server.schedule import Schedule, Task

SOON = 0.001


class Runs:
    """Counts the runs of a task and can wait for them."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Count one run."""
        async with self._changed:
            self.count += 1
            self._changed.notify_all()

    async def reach(self, count: int) -> None:
        """Wait until there have been so many runs."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.count >= count)


async def test_a_task_runs_at_once_and_again_after_its_interval() -> None:
    """The first run does not wait for the interval."""
    runs = Runs()

    async def leads() -> bool:
        return True

    schedule = Schedule([Task("often", SOON, runs.run), Task("seldom", 3_600, runs.run)], leads)
    schedule.start()
    await runs.reach(4)
    await schedule.close()


async def test_the_first_runs_follow_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once would each open a connection to the database."""
    monkeypatch.setattr(schedule_module, "PATIENCE", 3_600)
    runs = Runs()
    running = most = 0

    async def run() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(SOON)
        running -= 1
        await runs.run()

    schedule = Schedule([Task(f"task {number}", 3_600, run, everywhere=True) for number in range(5)], leads=_nobody)
    schedule.start()
    await runs.reach(5)
    await schedule.close()
    assert most == 1


async def test_a_first_run_without_an_end_delays_the_next_task_only_a_while() -> None:
    """Such as the one that works off jobs."""
    runs = Runs()

    async def wait() -> None:
        await asyncio.Event().wait()

    tasks = [Task("waits", SOON, wait, everywhere=True), Task("runs", 3_600, runs.run, everywhere=True)]
    schedule = Schedule(tasks, leads=_nobody)
    schedule.start()
    await runs.reach(1)
    await schedule.close()
    assert runs.count == 1


async def test_only_the_leader_runs_its_tasks() -> None:
    """Elsewhere those tasks alone run that belong to each process, until the process leads."""
    ours, everywhere = Runs(), Runs()
    leading = False

    async def leads() -> bool:
        return leading

    schedule = Schedule([Task("ours", SOON, ours.run), Task("each", SOON, everywhere.run, everywhere=True)], leads)
    schedule.start()
    await everywhere.reach(5)
    assert ours.count == 0

    leading = True
    await ours.reach(2)
    await schedule.close()


async def test_a_failure_ends_neither_its_task_nor_another_one() -> None:
    """The next run comes after the interval, also where the leadership itself cannot be asked for."""
    runs, other = Runs(), Runs()
    asked = 0

    async def leads() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise OSError
        return True

    async def fail() -> None:
        await runs.run()
        raise ValueError

    schedule = Schedule([Task("fails", SOON, fail), Task("works", SOON, other.run)], leads)
    schedule.start()
    await runs.reach(3)
    await other.reach(3)
    await schedule.close()


async def test_no_task_runs_after_the_end() -> None:
    """A task that waits is cancelled and awaited."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def leads() -> bool:
        return True

    async def wait() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    schedule = Schedule([Task("waits", SOON, wait)], leads)
    schedule.start()
    await started.wait()
    await schedule.close()

    assert ended.is_set()


async def test_a_task_whose_run_outlives_its_cancellation_ends_with_that_run() -> None:
    """A library may take the cancellation for the end of its own wait, and the run goes on to its end."""
    runs = Runs()

    async def deaf() -> None:
        await runs.run()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3_600)

    schedule = Schedule([Task("deaf", 3_600, deaf, everywhere=True)], leads=_nobody)
    schedule.start()
    await runs.reach(1)
    await schedule.close()
    assert runs.count == 1


async def test_a_run_without_an_end_is_cancelled_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as the one that works off jobs: one lost cancellation does not keep the process from its end."""
    monkeypatch.setattr(schedule_module, "CANCELLED_AGAIN", SOON)
    runs = Runs()

    async def deaf_twice() -> None:
        for _ in range(2):
            await runs.run()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3_600)
        await asyncio.sleep(3_600)

    schedule = Schedule([Task("deaf", 3_600, deaf_twice, everywhere=True)], leads=_nobody)
    schedule.start()
    await runs.reach(1)
    await schedule.close()
    assert runs.count == 2


async def _nobody() -> bool:
    return False
