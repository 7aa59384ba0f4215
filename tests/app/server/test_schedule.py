"""The schedule: which tasks run where, and what a failure of one does to the others."""

import asyncio

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
