"""Measures the floor: sends recorded bytes again, with almost no client in between.

One thread per recorded connection sends a unit and reads until Postgres is ready; nothing is
built or parsed. A transaction waits for those it must follow. A unit that Postgres refuses
ends the run. `--statements` sends one statement at a time instead and reports how long each took.
"""

import json
import pickle
import resource
import socket
import sys
import threading
import time
from pathlib import Path

from benchmarks.wire import Line, Transaction, bound, messages, parsed

_SYNC = b"S\0\0\0\4"
_READY = b"Z\0\0\0\5"


class Replay:
    """Recorded connections, on a database in the state of the start of the recording."""

    def __init__(self, lines: list[Line], address: str, database: str) -> None:
        self._lines = lines
        self._address = address
        self._database = database
        self._done = [0] * len(lines)
        self._moved = threading.Condition()
        self.failure: str | None = None
        self.ends: list[tuple[float, int]] = []
        self.begins: list[tuple[float, float]] = []
        self.spent: dict[str, float] = {}

    def run(self, *, statements: bool) -> None:
        """Send everything; returns when the last commit was answered."""
        threads = [
            threading.Thread(target=self._guarded, args=(n,), kwargs={"statements": statements})
            for n in range(len(self._lines))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guarded(self, number: int, *, statements: bool) -> None:
        try:
            self._line(number, statements=statements)
        except (OSError, RuntimeError) as error:
            with self._moved:
                self.failure = str(error)
                self._moved.notify_all()

    def _line(self, number: int, *, statements: bool) -> None:
        line = self._lines[number]
        buffer = bytearray(1 << 22)
        queries: dict[str, str] = {}
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(self._address)
            _exchange(wire, _renamed(line.startup, self._database), buffer)
            for transaction in line.transactions:
                self._wait(transaction)
                if self.failure:
                    return
                begun = time.perf_counter()
                for unit in transaction.units:
                    if statements:
                        self._split(wire, unit, buffer, queries)
                    else:
                        _exchange(wire, unit, buffer)
                self.begins.append((transaction.begun, begun))
                self.ends.append((time.perf_counter(), transaction.calls))
                with self._moved:
                    self._done[number] += 1
                    self._moved.notify_all()

    def _wait(self, transaction: Transaction) -> None:
        if all(self._done[line] >= count for line, count in transaction.after.items()):
            return
        with self._moved:
            self._moved.wait_for(
                lambda: self.failure or all(self._done[n] >= count for n, count in transaction.after.items())
            )

    def _split(self, wire: socket.socket, unit: bytes, buffer: bytearray, queries: dict[str, str]) -> None:
        part, name = b"", ""
        for kind, message in messages(unit):
            part += message
            if kind == ord("P"):
                statement, query = parsed(message)
                queries[statement] = query
            elif kind == ord("B"):
                name = queries.get(bound(message)[0], "?")
            elif kind == ord("Q"):
                name = message[5:-1].decode()
            if kind in b"EQ":
                begun = time.perf_counter()
                _exchange(wire, part if kind == ord("Q") else part + _SYNC, buffer)
                name = " ".join(name.split())[:70]
                self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - begun
                part = b""
        if len(part) > len(_SYNC):
            _exchange(wire, part, buffer)


def _exchange(wire: socket.socket, unit: bytes, buffer: bytearray) -> None:
    """Send, and read until Postgres is ready for more."""
    wire.sendall(unit)
    view = memoryview(buffer)
    size = 0
    while True:
        got = wire.recv_into(view[size:])
        if not got:
            raise RuntimeError("Postgres closed the connection")
        size += got
        if size >= 6 and buffer[size - 6 : size - 1] == _READY:
            break
        if size > len(buffer) // 2:
            buffer[:16] = buffer[size - 16 : size]
            size = 16
    if buffer[size - 1 : size] == b"E" or b"SERROR\0" in buffer[:size]:
        raise RuntimeError("Postgres refused: " + bytes(buffer[:size]).decode(errors="replace")[:300])


def _renamed(startup: bytes, database: str) -> bytes:
    """Return the startup message with the name of another database."""
    parts = startup[8:].split(b"\0")
    parts[parts.index(b"database") + 1] = database.encode()
    rest = startup[4:8] + b"\0".join(parts)
    return (len(rest) + 4).to_bytes(4, "big") + rest


def main() -> None:
    """Replay: RECORDING SOCKET DATABASE MARK [--statements], results as JSON.

    MARK is the moment of the recording at which the measured part began.
    """
    recording, address, database, mark, *rest = sys.argv[1:]
    with Path(recording).open("rb") as file:
        lines: list[Line] = pickle.load(file)
    replay = Replay(lines, address, database)
    replay.run(statements=bool(rest))
    used = resource.getrusage(resource.RUSAGE_SELF)
    begun = min((now for then, now in replay.begins if then >= float(mark)), default=0.0)
    measured = [(end, calls) for end, calls in replay.ends if end > begun]
    batches = [calls for _, calls in measured if calls]
    print(
        json.dumps(
            {
                "failure": replay.failure,
                "calls": sum(batches),
                "all": sum(calls for _, calls in replay.ends),
                "batch": sum(batches) / max(1, len(batches)),
                "seconds": max((end for end, _ in measured), default=0.0) - begun,
                "cpu": used.ru_utime + used.ru_stime,
                "spent": replay.spent,
            }
        )
    )


if __name__ == "__main__":
    main()
