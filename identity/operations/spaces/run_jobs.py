"""Background jobs: enqueued, followed, and run by any process that is free.

Privacy work goes first and has a runner of its own, and the spaces take turns.
A job is a committed row before the request for it is answered. The process that runs it renews a lease on the row;
when the lease runs out, another process starts the job again. So every kind of work must be safe to repeat.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from identity.spaces.space import Space, Spaces
from identity.store.spaces import jobs
from identity.values.calls import MICRO
from identity.values.enums import JobKind, JobState
from identity.values.errors import DatabaseUnavailable, JobNotFound, OnefoldError, SpaceNotFound
from identity.values.ids import JobId, SpaceNumber, new_id, public
from identity.values.json import JsonObject
from identity.values.not_ready import SimulationWaits
from identity.values.stamps import Micros, wall_time
from identity.vault.seal import JOB

_HELD: Final = 30 * MICRO
_BEAT: Final = 5.0
_LOOK: Final = 0.1
_IDLE: Final = 2.0
PRIVACY: Final = frozenset({JobKind.EXPORT.value})
"""The kinds of jobs that somebody waits for by law."""
# So many spaces are remembered as served; a space beyond them counts as one that had no turn.
_REMEMBERED: Final = 1_000

Progress = Callable[[int, int], Awaitable[None]]
Work = Callable[[Space, JsonObject, Progress], Awaitable[object]]
_log = structlog.get_logger(__name__)


class JobReport(Struct, frozen=True):
    """The progress of a background job: `done` of `total` steps.

    A job that is done has a `result`, the JSON object that its work made; a failed one has the code of an `error`.
    """

    id: JobId
    kind: int
    state: JobState
    done: int = 0
    total: int = 0
    result: JsonObject | None = None
    error: str | None = None


class Jobs:
    """The jobs of all spaces and their runner; `works` maps each kind that this process can run to its function."""

    def __init__(self, spaces: Spaces, works: Mapping[int, Work]) -> None:
        self._spaces = spaces
        self._works = works
        self._asked: set[asyncio.Event] = set()
        self._served: dict[SpaceNumber, None] = {}

    async def ask(self, space: Space, kind: int, wanted: JsonObject) -> JobReport:
        """Enqueue a job; its parameters are sealed. SimulationWaits where one of this space is queued already."""
        id_ = JobId(new_id())
        payload = space.keys.seal(JOB, id_, 0, msgspec.json.encode(wanted))
        async with space.database.transaction() as connection:
            if kind == JobKind.SIMULATE and await jobs.waits(connection, space.tenant, kind):
                raise SimulationWaits
            await jobs.add(connection, space.tenant, id_, kind, payload)
        self.wake()
        return JobReport(id=id_, kind=kind, state=JobState.QUEUED)

    def wake(self) -> None:
        """Wake the runner: a job was enqueued elsewhere."""
        for asked in self._asked:
            asked.set()

    async def follow(self, space: Space, job_id: JobId | None, wait: float = 0) -> JobReport:
        """The progress of a job, once it has ended or after `wait` seconds. JobNotFound."""
        until = time.monotonic() + wait
        while True:
            async with space.database.reading() as connection:
                job = None if job_id is None else await jobs.get(connection, space.tenant, job_id)
            if job is None:
                raise JobNotFound
            if job.state >= JobState.DONE or time.monotonic() >= until:
                return _report(space, job)
            await asyncio.sleep(_LOOK)

    async def run_for_ever(self, kinds: Collection[int] | None = None) -> None:
        """Run one job after the other, of all kinds or of some."""
        asked = asyncio.Event()
        self._asked.add(asked)
        try:
            while True:
                asked.clear()
                if not await self.run_next(kinds):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(asked.wait(), _IDLE)
        finally:
            self._asked.discard(asked)

    async def run_next(self, kinds: Collection[int] | None = None) -> bool:
        """Run the next job that is free and of a known kind, among `kinds` if given; returns whether there was one."""
        now = wall_time()
        known = [kind for kind in self._works if kinds is None or kind in kinds]
        # One statement, every other second of a process without work: it needs no transaction around it.
        async with self._spaces.database.of_all_spaces.reading() as connection:
            job = await jobs.take(
                connection, now, Micros(now + _HELD), known, first=sorted(PRIVACY), served=list(self._served)
            )
        if job is None:
            return False
        self._had_turn(job.space_id)
        try:
            space = await self._spaces.get(job.space_id)
        except SpaceNotFound:
            # The space was deleted; the purge deletes the row.
            return False
        lease = _JobLease(job)
        beat = asyncio.create_task(self._beat(lease))
        try:
            await self._run(space, lease)
        finally:
            beat.cancel()
        return True

    def _had_turn(self, space_id: SpaceNumber) -> None:
        self._served.pop(space_id, None)
        self._served[space_id] = None
        if len(self._served) > _REMEMBERED:
            del self._served[next(iter(self._served))]

    async def _run(self, space: Space, lease: "_JobLease") -> None:
        async def progress(done: int, total: int) -> None:
            lease.progress = done, total

        job = lease.job
        wanted = msgspec.json.decode(space.keys.open(JOB, job.id, job.version, job.payload))
        ended, error, result = JobState.DONE, None, wanted
        try:
            result = await self._works[job.kind](space, wanted, progress)
        except DatabaseUnavailable:
            # The row keeps its lease: another attempt starts when the lease has run out.
            raise
        except OnefoldError as failed:
            ended, error = JobState.FAILED, failed.code
        except Exception:  # noqa: BLE001 (every failure ends the job, or its caller waits for ever)
            _log.exception("job.failed", space=space.name_in_logs, job=public("job", job.id), kind=job.kind)
            ended, error = JobState.FAILED, OnefoldError.code
        payload = space.keys.seal(JOB, job.id, job.version + 1, msgspec.json.encode(result))
        async with lease.writing, space.database.transaction() as connection:
            held = await jobs.progress(connection, job, *lease.progress, lease.until, lease.until)
            held = held and await jobs.finish(connection, job, lease.until, state=ended, error=error, payload=payload)
        if not held:
            _log.warning("job.lease_lost", space=space.name_in_logs, job=public("job", job.id), kind=job.kind)

    async def _beat(self, lease: "_JobLease") -> None:
        """Renew the lease of the job and store its progress."""
        written = lease.progress
        beaten = time.monotonic()
        own = self._spaces.database.of_space(lease.job.space_id)
        while True:
            await asyncio.sleep(_LOOK * 5)
            if lease.progress == written and time.monotonic() < beaten + _BEAT:
                continue
            written, beaten = lease.progress, time.monotonic()
            until = Micros(wall_time() + _HELD)
            with suppress(OnefoldError):
                async with lease.writing:
                    async with own.transaction() as connection:
                        held = await jobs.progress(connection, lease.job, *written, lease.until, until)
                    if held:
                        lease.until = until


async def count_open_jobs(spaces: Spaces) -> jobs.OpenJobs:
    """How many jobs of all spaces wait or run, and how old the oldest is."""
    async with spaces.database.of_all_spaces.reading() as connection:
        return await jobs.count_open(connection)


class _JobLease:
    """A job that this process runs, with its progress and the end of its lease.

    `writing` is held by each write, since every write names the end that the one before it left.
    """

    def __init__(self, job: jobs.JobRow) -> None:
        self.job = job
        self.progress = (job.done, job.total)
        self.until: Micros = job.until
        self.writing = asyncio.Lock()


def _report(space: Space, job: jobs.JobRow) -> JobReport:
    state = JobState(job.state)
    result = None
    if state == JobState.DONE:
        result = msgspec.json.decode(space.keys.open(JOB, job.id, job.version, job.payload))
    return JobReport(
        id=job.id,
        kind=job.kind,
        state=state,
        done=job.done,
        total=job.total,
        result=result,
        error=(job.error or OnefoldError.code) if state == JobState.FAILED else None,
    )
