"""Collects requests into batches: the requests that arrive during one commit form the next batch.

An idle writer starts at once, a busy one finds more. A request is never split. Calls that share an identifier keep
their order of arrival: a request waits while an earlier one, in flight or in the queue, names an identifier of it. The
queue is bounded; a full queue refuses a request at once, and nothing of that request is stored. Calls that were
rejected when they were read wait as well, because the rejection is committed before it is answered. Where the commits
of one space hang, spare writers serve the others. A writer that dies fails its batch and is replaced.
"""

import asyncio
import time
from collections import deque
from typing import Final, NamedTuple

import structlog

from identity.operations.ingest.admission import has_room
from identity.operations.ingest.commit import BatchWriter
from identity.operations.ingest.request import IngestRequest
from identity.operations.ingest.turns import Turns
from identity.spaces.space import Space
from identity.store.postgres.database import Database
from identity.values.calls import Outcome
from identity.values.errors import DatabaseUnavailable, KeyUnavailable, OnefoldError, QueueFull, ShuttingDown
from identity.values.ids import SpaceNumber

BATCH = 500
SCAN = 400
RESTART: Final = 1.0
"""Seconds before a writer that died is replaced."""

_log = structlog.get_logger(__name__)


class _Waiting(NamedTuple):
    space: Space
    request: IngestRequest
    done: "asyncio.Future[None]"
    since: float


class IngestQueue:
    """The queue and its writers. `bound` is the greatest weight that may wait, rejected calls included."""

    def __init__(self, database: Database, *, writers: int = 2, bound: int = 20_000) -> None:
        self._database = database
        self._regular = writers
        self._writers: list[BatchWriter] = []
        self._bound = bound
        self._queues: dict[SpaceNumber, deque[_Waiting]] = {}
        self._turn: deque[SpaceNumber] = deque()
        self._turns = Turns()
        self._busy: dict[SpaceNumber, list[list[_Waiting]]] = {}
        self._waiting = self._weight = 0
        self._held: dict[SpaceNumber, int] = {}
        self._closing = False
        self._wake: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Starts the writers."""
        for _ in range(self._regular):
            self._add_writer()

    async def close(self) -> None:
        """Finishes the waiting requests, then ends the writers."""
        self._closing = True
        self._wake_all()
        await asyncio.gather(*self._tasks, *self._leaving, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()

    @property
    def writers(self) -> int:
        """The number of writers that the queue was made with."""
        return self._regular

    @property
    def running(self) -> int:
        """The number of writers that take batches. One that died is replaced after `RESTART` seconds."""
        return len(self._tasks)

    @property
    def lease_seconds(self) -> float:
        """How long the leases of the writers last at least; 0 while no writer holds a lease."""
        return min((left for left in (writer.lease_seconds for writer in self._writers) if left), default=0.0)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest request has waited for a writer; 0 for an empty queue."""
        since = min((queue[0].since for queue in self._queues.values()), default=None)
        return 0.0 if since is None else time.monotonic() - since

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a writer."""
        return self._waiting

    async def submit(self, space: Space, request: IngestRequest) -> list[Outcome]:
        """Commits the calls and rejections of a request; returns one outcome for each item, in their order.

        QueueFull, ShuttingDown: nothing was stored. Unavailable: send the request again.
        """
        if self._closing:
            raise ShuttingDown
        if request.rules < 0:
            await request.read(space, await space.recent_rules())
        if request.bodies:
            own = self._held.get(space.tenant.id, 0)
            if not has_room(request.weight, own=own, waiting=self._weight, bound=self._bound):
                raise QueueFull
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._put(_Waiting(space, request, done, time.monotonic()))
            await done
        return [outcome for outcome in request.outcomes if outcome is not None]

    def _put(self, waiting: _Waiting) -> None:
        id_ = waiting.space.tenant.id
        queue = self._queues.get(id_)
        if queue is None:
            queue = self._queues[id_] = deque()
            self._turn.append(id_)
        queue.append(waiting)
        self._count(waiting, 1)
        self._wake_all()
        self._consider_spare()

    def _count(self, waiting: _Waiting, sign: int) -> None:
        """Adds a waiting request to the counts, or takes it off."""
        id_, request = waiting.space.tenant.id, waiting.request
        self._waiting += sign * len(request.bodies)
        self._weight += sign * request.weight
        self._held[id_] = self._held.get(id_, 0) + sign * request.weight
        if not self._held[id_]:
            del self._held[id_]

    def _wake_all(self) -> None:
        wake, self._wake = self._wake, []
        for future in wake:
            if not future.done():
                future.set_result(None)

    def _add_writer(self) -> None:
        task = asyncio.create_task(self._run_writer())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Replaces a writer that died; at the end of the process nothing waits for another one."""
        self._tasks.discard(task)
        self._leaving.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            return
        _log.error("writer.died", exc_info=error)
        if not self._closing:
            asyncio.get_running_loop().call_later(RESTART, self._restore_writers)
        elif not self._tasks:
            for waiting in [each for queue in self._queues.values() for each in queue]:
                if not waiting.done.done():
                    waiting.done.set_exception(DatabaseUnavailable())

    def _restore_writers(self) -> None:
        if self.running < self.writers and not self._closing:
            self._add_writer()

    def _consider_spare(self) -> None:
        """Adds a writer where every writer is held for long and a space waits whose commits are not among these."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        idle = len(self._tasks) - self._turns.flights
        if idle or self._closing or all(map(self._turns.in_flight, self._turn)):
            return
        loop = asyncio.get_running_loop()
        seconds = self._turns.spare_due(len(self._tasks), loop.time())
        if seconds is None:
            return
        if seconds:
            self._timer = loop.call_later(seconds, self._consider_spare)
        else:
            self._add_writer()

    async def _run_writer(self) -> None:
        writer = BatchWriter(self._database)
        self._writers.append(writer)
        try:
            await self._write(writer)
        finally:
            self._writers.remove(writer)
            try:
                await writer.close()
            except OnefoldError:
                # The lease ends by itself.
                _log.warning("writer.not_closed")

    async def _write(self, writer: BatchWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = self._take()
            if not batch:
                if self._closing and not self._waiting:
                    return
                if len(self._tasks) > self._regular and (own := asyncio.current_task()) is not None:
                    self._tasks.discard(own)
                    self._leaving.add(own)
                    return
                future: asyncio.Future[None] = loop.create_future()
                self._wake.append(future)
                await future
                continue
            space, began = batch[0].space.tenant.id, loop.time()
            self._turns.begin(space, began)
            busy = self._busy.setdefault(space, [])
            busy.append(batch)
            self._consider_spare()
            try:
                await _commit(writer, batch)
            finally:
                self._turns.end(space, began)
                busy.remove(batch)
                if not busy:
                    del self._busy[space]
                for waiting in batch:
                    if not waiting.done.done():
                        # The writer dies: whether the batch is stored is not known.
                        waiting.done.set_exception(DatabaseUnavailable())
                self._wake_all()

    def _take(self) -> list[_Waiting]:
        """The next batch, of one space; spaces take turns."""
        for _ in range(len(self._turn)):
            id_ = self._turn[0]
            self._turn.rotate(-1)
            batch = self._gathered(id_) if self._turns.may_begin(id_, self._waiting) else []
            if batch:
                return batch
        return []

    def _gathered(self, id_: SpaceNumber) -> list[_Waiting]:
        queue = self._queues[id_]
        # Computed each time, because a request that is read again may have other keys.
        busy = self._busy.get(id_, ())
        blocked: set[bytes] = set().union(*(waiting.request.keys for batch in busy for waiting in batch))
        batch: list[_Waiting] = []
        passed: list[_Waiting] = []
        calls = 0
        while queue and calls < BATCH and len(passed) < SCAN:
            waiting = queue.popleft()
            if blocked and not blocked.isdisjoint(waiting.request.keys):
                blocked |= waiting.request.keys
                passed.append(waiting)
                continue
            self._count(waiting, -1)
            if waiting.done.cancelled():
                continue
            batch.append(waiting)
            calls += len(waiting.request.bodies)
        queue.extendleft(reversed(passed))
        if not queue:
            del self._queues[id_]
            self._turn.remove(id_)
        return batch


async def _commit(writer: BatchWriter, batch: list[_Waiting]) -> None:
    """Commits a batch. If one call may have made it fail, each request is committed on its own."""
    try:
        await writer.write(batch[0].space, [waiting.request for waiting in batch])
    except Exception as error:  # noqa: BLE001 (one bad call must not fail its neighbours)
        foreseen = isinstance(error, OnefoldError)
        if not foreseen:
            _log.exception("batch_failed", calls=sum(len(w.request.calls) for w in batch), requests=len(batch))
        # One profile that cannot be opened must not fail the others either.
        if len(batch) > 1 and (not foreseen or isinstance(error, KeyUnavailable)):
            for waiting in batch:
                await _commit(writer, [waiting])
            return
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(error)
    else:
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_result(None)
