"""Spaces on a test's database, and processes that write to them as servers do.

A worker process keeps a queue of its own and is driven over pipes, one JSON line each way, so
that two of them contend for one database as two servers would, and can be killed as they can.
"""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import psycopg

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import IngestRequest
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.open_spaces import open_spaces
from identity.spaces.space import Space, Spaces
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Outcome, Source
from identity.values.ids import private
from identity.values.stamps import Micros
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import file_root
from tests.support.integrity.replay import differences
from tests.support.integrity.stored_rows import Stored
from tests.support.processes.forked_program import CAN_FORK, ForkedProgram

ROOT = Path(__file__).parents[3]
_PROGRAM = "tests.support.processes.writer_process"
_LONGEST_WAIT = 900
"""Seconds for the longest order on a machine ten times slower than two quiet cores."""
Tasks = list[list[dict[str, Any]]]


class Lab:
    """A migrated database with its keys; makes spaces, opens them, compares them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.root_file = folder / "root.key"
        self.key_store = folder / "keys"

    async def open(self) -> Spaces:
        """The spaces as a server opens them."""
        return await open_spaces(self.url, root_file=self.root_file, root_value=None, key_store=self.key_store)

    async def space(self, spaces: Spaces) -> Space:
        """A new space."""
        made = await manage_spaces.create_space(spaces, "test")
        async with spaces.database.of_all_spaces.reading() as connection:
            found = await spaces_and_keys.find_public_space(connection, made.id)
        return await spaces.get(found.id)

    def number(self, public: str) -> int:
        """The number of a space by its public id."""
        id_ = private("spc", public)
        assert id_ is not None
        return int(self.query("SELECT id FROM space WHERE public_id = %s", id_.hex())[0][0])

    def query(self, text: str, *params: Any) -> list[Any]:
        """Rows as the owner of the database sees them."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(text.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def differences(self, space_id: int, changes: Iterable[tuple[int, int]] = ()) -> list[str]:
        """How a space as stored differs from its replay; keys come from disk, not from a cache."""
        return differences(self.url, self.keyring(), space_id, list(changes))

    def keyring(self) -> Keyring:
        """The keys as they lie on the disk."""
        root = file_root(self.root_file, create=False)
        return Keyring(root, KeyStore.open(self.key_store, root))


class Worker:
    """A process that ingests. Calls may be made from several threads."""

    def __init__(self, lab: Lab, **options: Any) -> None:
        self._process = _writer_process()
        self._numbers = itertools.count()
        self._lock = Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ask("open", url=lab.url, root=str(lab.root_file), keys=str(lab.key_store), **options)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def start(self, do: str, **given: Any) -> "Future[Any]":
        """Sends an order; its answer, in time. RuntimeError where it failed or the process is gone."""
        number = next(self._numbers)
        answer = self._waiting[number] = Future()
        assert self._process.stdin
        with self._lock:
            self._process.stdin.write(json.dumps({"nr": number, "do": do, **given}) + "\n")
            self._process.stdin.flush()
        return answer

    def ask(self, do: str, **given: Any) -> Any:
        """An order and its answer."""
        return self.start(do, **given).result(_LONGEST_WAIT)

    def close(self) -> None:
        """Ends it in good order: what waits is committed first."""
        self.ask("close")
        self.kill()

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            answer = json.loads(line)
            future = self._waiting.pop(answer["nr"])
            if "ok" in answer:
                future.set_result(answer["ok"])
            else:
                future.set_exception(RuntimeError(answer["error"]))
        for future in self._waiting.values():
            future.set_exception(RuntimeError("the worker is gone"))


def _writer_process() -> "subprocess.Popen[str] | ForkedProgram":
    if CAN_FORK:
        with os.fdopen(os.dup(2), "wb") as errors:
            return ForkedProgram([], os.environ, ROOT, entry=f"{_PROGRAM}:main", written=True, errors=errors)
    command = [sys.executable, "-m", _PROGRAM]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def send(workers: list[Worker], space_id: int, tasks: Tasks) -> list[list[Any]]:
    """Runs the tasks at once, spread over the workers; a task sends its requests one by one.

    A request is `{"items": [...], "server": bool, "source": int}`. Per task and request the
    outcomes, or the name of the error.
    """
    orders = [
        worker.start("send", space=space_id, tasks=tasks[nr :: len(workers)]) for nr, worker in enumerate(workers)
    ]
    shares = [order.result(_LONGEST_WAIT) for order in orders]
    return [shares[nr % len(workers)][nr // len(workers)] for nr in range(len(tasks))]


def run(coroutine: Any) -> Any:
    """Runs a coroutine in an event loop of its own.

    For an example of Hypothesis, a fixture of a module, and a process that dies and starts again. Every other test is
    a coroutine itself.
    """
    return asyncio.run(coroutine)


class Ingest:
    """A queue in this process, on a new space of a lab."""

    def __init__(self, lab: Lab, spaces: Spaces, space: Space, queue: IngestQueue) -> None:
        self.lab = lab
        self.spaces = spaces
        self.space = space
        self.queue = queue

    async def send(self, *items: dict[str, Any], server: bool = True) -> list[Outcome]:
        """One request."""
        return await self.queue.submit(self.space, request(*items, server=server))

    def check(self, changes: Iterable[tuple[int, int]] = ()) -> None:
        """Asserts that the stored space equals its replay."""
        differences = self.lab.differences(self.space.tenant.id, changes)
        assert not differences, "\n".join(differences)

    def log(self) -> list[str]:
        """The message ids of the log in the order of their stamps."""
        stored = Stored(self.lab.url, self.lab.keyring(), self.space.tenant.id)
        return [logged.kept_call.message_id for logged in stored.log]

    def lock_stamp(self) -> int:
        """The stamp of the space lock."""
        return int(self.lab.query("SELECT stamp FROM space_gate WHERE space_id = %s", self.space.tenant.id)[0][0])


class Examples:
    """One running queue for all examples of a module; each example has a space of its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._loop = asyncio.Runner()
        self._opened: tuple[Spaces, IngestQueue] | None = None

    def play(self, example: Callable[[Ingest], Awaitable[None]]) -> None:
        """Run one example on a new space."""
        self._loop.run(self._play(example))

    async def _play(self, example: Callable[[Ingest], Awaitable[None]]) -> None:
        if self._opened is None:
            spaces = await self.lab.open()
            queue = IngestQueue(spaces.database, writers=2)
            queue.start()
            self._opened = spaces, queue
        spaces, queue = self._opened
        await example(Ingest(self.lab, spaces, await self.lab.space(spaces), queue))

    def close(self) -> None:
        """End the queue in good order."""

        async def end(spaces: Spaces, queue: IngestQueue) -> None:
            await queue.close()
            spaces.keyring.close()
            await spaces.database.close()

        with self._loop as loop:
            if self._opened is not None:
                loop.run(end(*self._opened))


def request(*items: dict[str, Any], server: bool = True) -> IngestRequest:
    """A request of an import."""
    return IngestRequest(list(items), source=Source(1, server), received=Micros(time.time_ns() // 1000), history=True)


@asynccontextmanager
async def ingesting(lab: Lab, *, writers: int = 2, bound: int = 20_000) -> AsyncIterator[Ingest]:
    """A running queue on a new space; ends in good order."""
    spaces = await lab.open()
    queue = IngestQueue(spaces.database, writers=writers, bound=bound)
    queue.start()
    try:
        yield Ingest(lab, spaces, await lab.space(spaces), queue)
    finally:
        await queue.close()
        spaces.keyring.close()
        await spaces.database.close()
