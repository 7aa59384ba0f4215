"""Periodic work: one table of tasks, each run again and again, most of them in one process at a time.

A task that fails is logged and run again after its interval; no failure ends the process. A task of the leader runs
in the process that holds the leadership at that moment, and every task bears being run twice.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from app.server import logs

_log = logs.get(__name__)


class Task(NamedTuple):
    """One line of the table: `interval` are the seconds between two runs.

    `everywhere` are tasks that belong to each process: its caches, its gauges, its share of the work.
    """

    name: str
    interval: float
    run: Callable[[], Awaitable[object]]
    everywhere: bool = False


class Schedule:
    """Runs the tasks of a table from `start` to `close`."""

    def __init__(self, tasks: Sequence[Task], leads: Callable[[], Awaitable[bool]]) -> None:
        self._tasks = tasks
        self._leads = leads
        self._asking = asyncio.Lock()
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Starts every task; each runs at once for the first time."""
        self._running = [asyncio.create_task(self._repeat(task), name=task.name) for task in self._tasks]

    async def close(self) -> None:
        """Cancels every task and waits for its end."""
        for each in self._running:
            each.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _repeat(self, task: Task) -> None:
        while True:
            try:
                if task.everywhere or await self._is_leader():
                    await task.run()
            except Exception as error:  # noqa: BLE001 (any failure: the next run comes)
                _log.error("task.failed", task=task.name, exc_info=error)
            await asyncio.sleep(task.interval)

    async def _is_leader(self) -> bool:
        # The leadership has one session, which one question at a time may use.
        async with self._asking:
            return await self._leads()
