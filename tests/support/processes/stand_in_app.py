"""A small ASGI application for tests of the server alone."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]


async def _application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        if os.environ.get("STANDIN_FAILS") or _fails_now():
            await send({"type": "lifespan.startup.failed", "message": "planted secret"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
        await asyncio.sleep(1)
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


def _fails_now() -> bool:
    """Whether the file STANDIN_AWAY is there; it then receives a line."""
    away = Path(os.environ.get("STANDIN_AWAY", ""))
    if not away.is_file():
        return False
    with away.open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    return True


def application() -> Callable[..., Awaitable[None]]:
    """Return the application; the server calls this factory."""
    return _application
