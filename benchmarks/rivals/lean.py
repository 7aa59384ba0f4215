"""The HTTP side of both writing rivals: as lean as possible, so that only the store differs.

The key is checked with one comparison, msgspec decodes the body, the answer is a constant.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

import msgspec

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_DONE = b'{"success":true}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_DONE)).encode())]


class Store(Protocol):
    """The store of a rival."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect."""

    async def write(self, call: dict[str, Any]) -> None:
        """Commit one call."""


def application(store: Store) -> Application:
    """Return an ASGI application over a store, which commits one call after the other."""
    bearer = f"Bearer {os.environ['BENCH_KEY']}".encode()

    async def handle(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await store.open()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await store.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        status = 200
        if scope["path"] != "/healthz":
            if dict(scope["headers"]).get(b"authorization") != bearer:
                status = 401
            else:
                body = msgspec.json.decode(await _body(receive))
                calls = body["batch"] if scope["path"] == "/v1/batch" else [body]
                for call in calls:
                    await store.write(call)
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _DONE})

    return handle


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)
