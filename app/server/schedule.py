"""Runs periodic tasks from one table: some in every process, most in one process at a time, the leader.

A task that fails is logged and runs again after its interval; no failure ends the process. The first runs follow one
another: each would open a connection to the database if all began at once. Leadership may move
between processes at any moment, so every task has to tolerate that it runs twice. After `close` no task runs, also
where a library took a cancellation for the end of its own wait.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from app.server import logs

_log = logs.get(__name__)
CANCELLED_AGAIN: Final = 5.0
"""Seconds after which a task that still runs is cancelled once more."""
PATIENCE: Final = 0.05
"""Seconds that the next task waits at most for the end of the first run of the one before."""


class Task(NamedTuple):
    """One line of the table; `interval` is the number of seconds between two runs.

    `everywhere` marks a task of each process: its caches, its gauges, its share of the work.
    """

    name: str
    interval: float
    run: Callable[[], Awaitable[object]]
    everywhere: bool = False


class Schedule:
    """Runs the tasks of a table between `start` and `close`."""

    def __init__(self, tasks: Sequence[Task], leads: Callable[[], Awaitable[bool]]) -> None:
        self._tasks = tasks
        self._leads = leads
        self._asking = asyncio.Lock()
        self._running: list[asyncio.Task[None]] = []
        self._closing = False

    def start(self) -> None:
        """Start every task; none waits for its interval before its first run."""
        self._running = [asyncio.create_task(self._start_each(), name="schedule")]

    async def close(self) -> None:
        """Cancel every task and wait for its end."""
        self._closing = True
        left = set(self._running)
        while left:
            for each in left:
                each.cancel()
            _, left = await asyncio.wait(left, timeout=CANCELLED_AGAIN)

    async def _start_each(self) -> None:
        for task in self._tasks:
            ran = asyncio.Event()
            self._running.append(asyncio.create_task(self._repeat(task, ran), name=task.name))
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await ran.wait()

    async def _repeat(self, task: Task, ran: asyncio.Event) -> None:
        while not self._closing:
            try:
                if task.everywhere or await self._is_leader():
                    await task.run()
            except Exception as error:  # noqa: BLE001 (any failure: the next run comes)
                _log.error("task.failed", task=task.name, exc_info=error)
            ran.set()
            if not self._closing:
                await asyncio.sleep(task.interval)

    async def _is_leader(self) -> bool:
        # Leadership has one database session, which serves one query at a time.
        async with self._asking:
            return await self._leads()
