"""The load, a process of its own: keep-alive connections send rendered requests in turn.

A connection sends its next request when the last one was answered (closed loop). Each phase ends
with every request answered, so the database must hold what was sent. Every answer is checked for
status 200 and for the bytes that a good answer contains.
"""

import asyncio
import json
import mmap
import resource
import struct
import sys
import time
from pathlib import Path
from typing import cast

import uvloop


class Load:
    """Requests of a file over so many connections."""

    def __init__(self, path: Path, at: int, port: int, connections: int, must: bytes) -> None:
        with path.open("rb") as file:
            self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self.at = at
        self._port = port
        self._connections = connections
        self._must = must
        self._until = 0.0
        self._busy = 0
        self._idle: asyncio.Future[None] | None = None
        self.sent = 0
        self.failures: list[str] = []
        self.times: list[float] = []

    def next(self) -> memoryview | None:
        """The next request, or None when time or requests have run out."""
        at = self.at
        if at >= len(self._data) or time.perf_counter() >= self._until or self.failures:
            return None
        (size,) = struct.unpack_from(">I", self._data, at)
        self.at = at + 4 + size
        self.sent += 1
        return self._data[at + 4 : self.at]

    def answered(self, head: bytes, body: bytes, seconds: float) -> None:
        """Check one answer."""
        self.times.append(seconds)
        if not head.startswith(b"HTTP/1.1 200") or self._must not in body:
            self.failures.append((head[:40] + b" " + body[:200]).decode(errors="replace"))

    def rest(self) -> None:
        """Note that a connection has nothing more to send."""
        self._busy -= 1
        if not self._busy and self._idle and not self._idle.done():
            self._idle.set_result(None)

    def lost(self) -> None:
        """Note that the server closed a connection before it answered."""
        self.failures.append("the server closed a connection")
        self.rest()

    async def run(self, phases: list[float]) -> list[dict[str, object]]:
        """Run the phases one after the other on the same connections."""
        loop = asyncio.get_running_loop()
        lines = [
            (await loop.create_connection(lambda: Line(self), "127.0.0.1", self._port))[1]
            for _ in range(self._connections)
        ]
        results: list[dict[str, object]] = []
        for seconds in phases:
            self.sent, self.times = 0, []
            self._idle = loop.create_future()
            self._busy = len(lines)
            cpu = _cpu()
            begun = time.perf_counter()
            self._until = begun + seconds
            for line in lines:
                line.send()
            await self._idle
            took = time.perf_counter() - begun
            times = sorted(self.times) or [0.0]
            results.append(
                {
                    "requests": self.sent,
                    "seconds": took,
                    "begun": begun,
                    "at": self.at,
                    "cpu": _cpu() - cpu,
                    "p50": times[len(times) // 2],
                    "p99": times[len(times) * 99 // 100],
                    "failures": self.failures[:5],
                }
            )
        return results


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._need = 0
        self._begun = 0.0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self) -> None:
        """Send the next request, or rest."""
        request = self._load.next()
        if request is None:
            self._load.rest()
            return
        self._waiting = True
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Send the next request once an answer is complete."""
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end >= 0 and not self._need:
            head = buffer[:end].lower()
            at = head.find(b"content-length:")
            self._need = end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        if not self._need or len(buffer) < self._need:
            self._buffer = buffer
            return
        self._load.answered(buffer[:end], buffer[end + 4 :], time.perf_counter() - self._begun)
        self._buffer, self._need, self._waiting = b"", 0, False
        self.send()

    def connection_lost(self, _: Exception | None) -> None:
        """Note a request that is left without an answer."""
        if self._waiting:
            self._load.lost()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run the phases: FILE OFFSET PORT CONNECTIONS MUST SECONDS..., results as JSON."""
    path, at, port, connections, must, *phases = sys.argv[1:]
    load = Load(Path(path), int(at), int(port), int(connections), must.encode())
    print(json.dumps(uvloop.run(load.run([float(phase) for phase in phases]))))


if __name__ == "__main__":
    main()
