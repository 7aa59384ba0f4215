"""Long work: asked for, followed, and run by whichever process has time.

A job is a row before it is answered, and its holder says so again and again while it runs; where
that ends, another process begins it anew. So every kind of work has to be safe to begin anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from identity.spaces.space import Space, Spaces
from identity.store.spaces import jobs
from identity.values.calls import MICRO
from identity.values.enums import JobState
from identity.values.errors import DatabaseUnavailable, JobNotFound, OnefoldError, SpaceNotFound
from identity.values.ids import new_id, private, public
from identity.vault.seal import JOB

_HELD = 30 * MICRO
_BEAT = 5.0
_LOOK = 0.1
_IDLE = 2.0

Progress = Callable[[int, int], Awaitable[None]]
Work = Callable[[Space, dict[str, Any], Progress], Awaitable[object]]
_log = structlog.get_logger(__name__)


class Jobs:
    """The jobs of all spaces, and what runs them; `works` are the kinds there are."""

    def __init__(self, spaces: Spaces, works: Mapping[int, Work]) -> None:
        self._spaces = spaces
        self._works = works
        self._asked = asyncio.Event()

    async def ask(self, space: Space, kind: int, wanted: dict[str, Any]) -> dict[str, Any]:
        """A new job; what is asked for is sealed."""
        id_ = new_id()
        payload = space.keys.seal(JOB, id_, 0, msgspec.json.encode(wanted))
        async with space.database.transaction() as connection:
            await jobs.add(connection, space.tenant, id_, kind, payload)
        self.wake()
        return {"job_id": public("job", id_), "state": JobState.QUEUED.label, "done": 0, "total": 0}

    def wake(self) -> None:
        """There is something to do, asked for in a transaction of somebody else."""
        self._asked.set()

    async def follow(self, space: Space, job_id: str, wait: float = 0) -> tuple[int, dict[str, Any]]:
        """The kind of a job and how far it is, once it has ended or `wait` seconds are over. JobNotFound."""
        id_ = private("job", job_id)
        until = time.monotonic() + wait
        while True:
            async with space.database.reading() as connection:
                job = None if id_ is None else await jobs.get(connection, space.tenant, id_)
            if job is None:
                raise JobNotFound
            if job.state >= JobState.DONE or time.monotonic() >= until:
                return job.kind, _told(space, job)
            await asyncio.sleep(_LOOK)

    async def run_for_ever(self) -> None:
        """Runs one job after the other."""
        while True:
            self._asked.clear()
            if not await self.run_next():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), _IDLE)

    async def run_next(self) -> bool:
        """Runs the oldest job that nobody holds and that there is a work for; whether there was one."""
        now = time.time_ns() // 1000
        async with self._spaces.database.transaction() as connection:
            job = await jobs.take(connection, now, now + _HELD, list(self._works))
        if job is None:
            return False
        try:
            space = await self._spaces.get(job.space_id)
        except SpaceNotFound:
            # The purge takes its row away.
            return False
        state = [job.done, job.total]
        beat = asyncio.create_task(self._beat(job, state))
        try:
            await self._run(space, job, state)
        finally:
            beat.cancel()
        return True

    async def _run(self, space: Space, job: jobs.JobRow, state: list[int]) -> None:
        async def progress(done: int, total: int) -> None:
            state[:] = done, total

        wanted = msgspec.json.decode(space.keys.open(JOB, job.id, job.version, job.payload))
        ended, error, told = JobState.DONE, None, wanted
        try:
            told = await self._works[job.kind](space, wanted, progress)
        except DatabaseUnavailable:
            # Its row still says that it runs: it is begun anew when the database is back.
            raise
        except OnefoldError as failed:
            ended, error = JobState.FAILED, failed.code
        except Exception:  # noqa: BLE001 (whatever it is, whoever waits has to be told)
            _log.exception("job.failed", kind=job.kind)
            ended, error = JobState.FAILED, OnefoldError.code
        payload = space.keys.seal(JOB, job.id, job.version + 1, msgspec.json.encode(told))
        async with space.database.transaction() as connection:
            await jobs.progress(connection, job, state[0], state[1], 0)
            await jobs.finish(connection, job, ended, error, job.version + 1, payload)

    async def _beat(self, job: jobs.JobRow, state: list[int]) -> None:
        """Says again and again that the job is held, and how far it is."""
        told = list(state)
        beaten = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK * 5)
            if state == told and time.monotonic() < beaten + _BEAT:
                continue
            told, beaten = list(state), time.monotonic()
            with suppress(OnefoldError):
                async with self._spaces.database.transaction() as connection:
                    await jobs.progress(connection, job, state[0], state[1], time.time_ns() // 1000 + _HELD)


def _told(space: Space, job: jobs.JobRow) -> dict[str, Any]:
    told: dict[str, Any] = {
        "job_id": public("job", job.id),
        "state": JobState(job.state).label,
        "done": job.done,
        "total": job.total,
    }
    if job.state == JobState.DONE:
        told["result"] = msgspec.json.decode(space.keys.open(JOB, job.id, job.version, job.payload))
    elif job.state == JobState.FAILED:
        told["error"] = job.error
    return told
