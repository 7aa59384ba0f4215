"""Answers that are not read: a client that reads nothing is disconnected, one that reads slowly is not."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
import uvloop
from uvicorn import Config
from uvicorn.server import ServerState

from app.http import protocol
from app.http.protocol import GuardedProtocol

# More than the kernel buffers.
LARGE = 16 * 1024 * 1024
CHECKS, READS = 6, 10
CLOSE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
KEEP = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Message = MutableMapping[str, Any]


async def _large(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    assert scope["type"] == "http"
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % LARGE)]})
    await send({"type": "http.response.body", "body": bytes(LARGE)})


async def _asked(
    request: bytes, read: Callable[[socket.socket, asyncio.Event, asyncio.Queue[None]], Awaitable[int]]
) -> int:
    """Send a request; returns what `read` makes of the connection.

    `read` gets the client, the event that the server closed the connection, and an item for each check of the server.
    """
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    checks: asyncio.Queue[None] = asyncio.Queue()

    class Noted(GuardedProtocol):
        def _check_reader(self) -> None:
            super()._check_reader()
            checks.put_nowait(None)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            gone.set()
            checks.put_nowait(None)

    # An idle connection is closed long before a slow client has read all.
    config = Config(_large, log_config=None, lifespan="off", ws="none", timeout_keep_alive=1)
    server = await loop.create_server(lambda: Noted(config, ServerState(), {}), "127.0.0.1", 0)
    try:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            client.setblocking(False)
            await loop.sock_connect(client, server.sockets[0].getsockname())
            await loop.sock_sendall(client, request)
            return await read(client, gone, checks)
    finally:
        server.close()


@pytest.mark.parametrize("request_", [CLOSE, KEEP, KEEP * 3])
def test_a_client_that_reads_nothing_is_disconnected(monkeypatch: pytest.MonkeyPatch, request_: bytes) -> None:
    """The rest of the answer is lost."""
    monkeypatch.setattr(protocol, "CHECK_SECONDS", 0.2)

    async def nothing(client: socket.socket, gone: asyncio.Event, _checks: asyncio.Queue[None]) -> int:
        await gone.wait()
        got = 0
        try:
            while part := await asyncio.get_running_loop().sock_recv(client, 65_536):
                got += len(part)
        except ConnectionResetError:
            pass
        return got

    assert uvloop.run(_asked(request_, nothing)) < LARGE


@pytest.mark.parametrize("request_", [CLOSE, KEEP])
def test_a_client_that_reads_slowly_gets_the_whole_answer(monkeypatch: pytest.MonkeyPatch, request_: bytes) -> None:
    """However many times the server checks meanwhile."""
    monkeypatch.setattr(protocol, "CHECK_SECONDS", 0.2)

    async def slowly(client: socket.socket, _gone: asyncio.Event, checks: asyncio.Queue[None]) -> int:
        got = reads = 0
        while part := await asyncio.get_running_loop().sock_recv(client, 16 * 1024):
            got += len(part)
            reads += 1
            # Between two checks so much that the kernel reports it, so little that it asks the server for no more.
            if reads < CHECKS * READS and reads % READS == 0:
                await checks.get()
            elif reads == CHECKS * READS:
                monkeypatch.setattr(protocol, "CHECK_SECONDS", 3_600)
        return got

    assert uvloop.run(_asked(request_, slowly)) > LARGE
