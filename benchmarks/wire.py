"""Records the exact bytes that the writers send to Postgres, and cuts them into transactions.

A proxy on a unix socket connects a server to Postgres during a recording. A unit is what a writer
sends before it waits: up to a Sync or a simple Query. Transactions that touched the same profiles
or identifiers keep their order in a replay; others may overlap freely.
"""

import asyncio
import json
import pickle
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

SOCKET = ".s.PGSQL.5432"
_KEYS = ("JOIN identifier i ON i.key", "FOR NO KEY UPDATE OF p")
_DEDUP = "INSERT INTO message"


@dataclass
class Unit:
    """Bytes to send, and when they were sent and answered (seconds of the monotonic clock)."""

    data: bytes
    sent: float
    answered: float = 0.0


@dataclass
class Transaction:
    """Units of one transaction. `after`: how many transactions of each other connection have to end before."""

    units: list[bytes]
    begun: float
    ended: float
    keys: set[bytes]
    calls: int
    after: dict[int, int] = field(default_factory=dict)


@dataclass
class Line:
    """One connection: how it started, and its transactions."""

    startup: bytes
    transactions: list[Transaction]


class Proxy:
    """Passes bytes on in both directions and records those of clients."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self.lines: list[tuple[bytes, list[Unit]]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the server."""
        up_reader, up_writer = await asyncio.open_unix_connection(str(self._upstream))
        (size,) = struct.unpack(">I", head := await reader.readexactly(4))
        startup = head + await reader.readexactly(size - 4)
        units: list[Unit] = []
        if size > 16:  # not a request to cancel or to encrypt
            self.lines.append((startup, units))
        up_writer.write(startup)
        back = asyncio.create_task(self._back(up_reader, writer, units))
        pending = b""
        try:
            while data := await reader.read(1 << 20):
                up_writer.write(data)
                pending = _cut(pending + data, units)
        finally:
            up_writer.close()
            await back

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, units: list[Unit]) -> None:
        while data := await reader.read(1 << 20):
            writer.write(data)
            if units and data[-6:-1] == b"Z\0\0\0\5":
                units[-1].answered = time.perf_counter()
        writer.close()


def _cut(data: bytes, units: list[Unit]) -> bytes:
    """Cut whole units off the front; returns the rest."""
    at = begun = 0
    while len(data) - at >= 5:
        end = at + 1 + int.from_bytes(data[at + 1 : at + 5], "big")
        if end > len(data):
            break
        if data[at] in b"SQ":
            units.append(Unit(data[begun:end], time.perf_counter()))
            begun = end
        at = end
    return data[begun:]


def messages(unit: bytes) -> list[tuple[int, bytes]]:
    """Return the messages of a unit: type and whole bytes."""
    found = []
    at = 0
    while at < len(unit):
        end = at + 1 + int.from_bytes(unit[at + 1 : at + 5], "big")
        found.append((unit[at], unit[at:end]))
        at = end
    return found


def parsed(message: bytes) -> tuple[str, str]:
    """Return name and query of a Parse message."""
    name, query, _ = message[5:].split(b"\0", 2)
    return name.decode(), query.decode()


def bound(message: bytes) -> tuple[str, list[bytes]]:
    """Return statement and parameters of a Bind message."""
    _, name, rest = message[5:].split(b"\0", 2)
    (formats,) = struct.unpack_from(">H", rest)
    at = 2 + 2 * formats
    (count,) = struct.unpack_from(">H", rest, at)
    at += 2
    values = []
    for _ in range(count):
        (size,) = struct.unpack_from(">i", rest, at)
        at += 4
        values.append(rest[at : at + max(size, 0)])
        at += max(size, 0)
    return name.decode(), values


def lines(recorded: list[tuple[bytes, list[Unit]]]) -> list[Line]:
    """Return the connections of writers, in transactions that name those they follow."""
    found = [Line(startup, _transactions(units)) for startup, units in recorded]
    found = [line for line in found if any(t.calls for t in line.transactions)]
    for number, line in enumerate(found):
        for other, theirs in enumerate(found):
            if other != number:
                _order(line.transactions, theirs.transactions, other)
    return found


def _order(mine: list[Transaction], theirs: list[Transaction], other: int) -> None:
    done = 0  # the number of theirs that had ended before mine began
    last: dict[bytes, int] = {}
    for transaction in mine:
        while done < len(theirs) and theirs[done].ended <= transaction.begun:
            done += 1
            for key in theirs[done - 1].keys:
                last[key] = done
        after = max((last.get(k, 0) for k in transaction.keys), default=0)
        if not transaction.calls:
            # A transaction without calls (a lease) keeps its place among all others.
            after = sum(their.begun < transaction.begun for their in theirs)
        if after:
            transaction.after[other] = after


def _transactions(units: list[Unit]) -> list[Transaction]:
    queries: dict[str, str] = {}
    found: list[Transaction] = []
    open_ = False
    for unit in units:
        begins, ends, keys, calls = _read(unit.data, queries)
        if not open_:
            found.append(Transaction([], unit.sent, 0.0, set(), 0))
        current = found[-1]
        current.units.append(unit.data)
        current.ended = unit.answered
        current.keys |= keys
        current.calls += calls
        open_ = (open_ or begins) and not ends
    return found


def _read(data: bytes, queries: dict[str, str]) -> tuple[bool, bool, set[bytes], int]:
    begins = ends = False
    keys: set[bytes] = set()
    calls = 0
    for kind, message in messages(data):
        query = ""
        if kind == ord("P"):
            name, query = parsed(message)
            queries[name] = query
        elif kind == ord("Q"):
            query = message[5:-1].decode()
        elif kind == ord("B"):
            name, values = bound(message)
            asked = queries.get(name, "")
            if asked.lstrip().startswith(_DEDUP):
                calls += int.from_bytes(values[1][12:16], "big") if len(values[1]) > 12 else 0
            if any(mark in asked for mark in _KEYS):
                keys |= _elements(values[1])
        begins |= query.startswith("BEGIN")
        ends |= query.startswith(("COMMIT", "ROLLBACK"))
    return begins, ends, keys, calls


def _elements(array: bytes) -> set[bytes]:
    found = set()
    at = 20
    while at < len(array):
        size = int.from_bytes(array[at : at + 4], "big")
        found.add(array[at + 4 : at + 4 + size])
        at += 4 + size
    return found


async def _main(upstream: Path, folder: Path, target: Path) -> None:
    proxy = Proxy(upstream)
    server = await asyncio.start_unix_server(proxy.serve, str(folder / SOCKET), limit=1 << 22)
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the benchmark closes the pipe
    server.close()
    with target.open("wb") as file:
        pickle.dump(lines(proxy.lines), file)


def main() -> None:
    """Record until standard input ends: UPSTREAM FOLDER TARGET."""
    upstream, folder, target = map(Path, sys.argv[1:])
    uvloop.run(_main(upstream, folder, target))


if __name__ == "__main__":
    main()
