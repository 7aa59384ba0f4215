"""Answers that are not read: who takes nothing is cut off, who takes a little now and then is not."""

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

# More than the kernel takes off a server's hands.
LARGE = 16 * 1024 * 1024
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


async def _asked(request: bytes, read: Callable[[socket.socket, asyncio.Event], Awaitable[int]]) -> int:
    """What `read` makes of a connection on which this was asked, and of the event that the server let go of it."""
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()

    class Noted(GuardedProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            gone.set()

    # An idle client is sent away long before a slow one has read all.
    config = Config(_large, log_config=None, lifespan="off", ws="none", timeout_keep_alive=1)
    server = await loop.create_server(lambda: Noted(config, ServerState(), {}), "127.0.0.1", 0)
    try:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            client.setblocking(False)
            await loop.sock_connect(client, server.sockets[0].getsockname())
            await loop.sock_sendall(client, request)
            return await read(client, gone)
    finally:
        server.close()


@pytest.mark.parametrize("request_", [CLOSE, KEEP, KEEP * 3])
def test_takes_nothing(monkeypatch: pytest.MonkeyPatch, request_: bytes) -> None:
    """Its connection goes, and what it did not read with it."""
    monkeypatch.setattr(protocol, "CHECK_SECONDS", 0.2)

    async def nothing(client: socket.socket, gone: asyncio.Event) -> int:
        await asyncio.wait_for(gone.wait(), 60)
        got = 0
        try:
            while part := await asyncio.get_running_loop().sock_recv(client, 65_536):
                got += len(part)
        except ConnectionResetError:
            pass
        return got

    assert uvloop.run(_asked(request_, nothing)) < LARGE


@pytest.mark.parametrize("request_", [CLOSE, KEEP])
def test_takes_a_little(monkeypatch: pytest.MonkeyPatch, request_: bytes) -> None:
    """It has all of its answer in the end, however many looks were taken meanwhile."""
    monkeypatch.setattr(protocol, "CHECK_SECONDS", 0.5)

    async def slowly(client: socket.socket, _gone: asyncio.Event) -> int:
        got = reads = 0
        while part := await asyncio.get_running_loop().sock_recv(client, 16 * 1024):
            got += len(part)
            reads += 1
            # So little at a time that the kernel asks the server for no more between two looks.
            await asyncio.sleep(0.05 if reads < 60 else 0)
        return got

    assert uvloop.run(_asked(request_, slowly)) > LARGE
