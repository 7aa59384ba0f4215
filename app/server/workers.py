"""Supervises the worker processes of a server: a worker that dies is replaced.

A worker that does not start ends the server only until all have once been ready. From then on the start is repeated:
a replacement may come while the database is away, which the other workers survive.
"""

import socket
from collections.abc import Callable

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

_WATCH = 0.5


class Workers(Multiprocess):
    """uvicorn's supervisor; announces once that all workers are ready, and ignores SIGHUP."""

    def __init__(self, config: Config, sockets: list[socket.socket], announce: Callable[[], None]) -> None:
        super().__init__(config, sockets)
        self._announce = announce
        self._announced = False

    @property
    def refused(self) -> bool:
        """Whether the server ended as a worker did not start."""
        return not self._announced and any(each.exitcode == STARTUP_FAILURE for each in self.processes)

    def handle_signals(self) -> None:
        """Act on the signals that came, and announce the workers when all are ready."""
        super().handle_signals()
        for each in self.processes:
            # With the worker's end open here too, a question to a worker that has just died waits for its whole time.
            each.child_conn.close()
        if not (self._announced or self.should_exit.is_set()) and all(
            each.is_ready(timeout=_WATCH) for each in self.processes
        ):
            self._announced = True
            self._announce()

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that died."""
        if self.should_exit.is_set():
            return
        super().keep_subprocess_alive()
        if self._announced and self.should_exit.is_set():
            # uvicorn gives up where a worker does not start.
            self.should_exit.clear()
            self.processes = [self._again(each) for each in self.processes]

    def _again(self, worker: Process) -> Process:
        if worker.exitcode != STARTUP_FAILURE:
            return worker
        replacement = Process(self.config, self.sockets)
        replacement.start()
        return replacement

    def handle_hup(self) -> None:
        """Ignore the signal: closing a terminal is no reason to restart."""
