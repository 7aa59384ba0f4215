"""Raw HTTP requests that no client library sends."""

import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.app.conftest import Shop


class Answer:
    """What came back; status 0 where the connection ended without an answer."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        found = re.match(rb"HTTP/1\.1 (\d{3})", raw)
        self.status = int(found[1]) if found else 0
        self.head, _, self.body = raw.partition(b"\r\n\r\n")

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


def connect(url: str | httpx.URL) -> socket.socket:
    """A connection to a server."""
    parts = urlsplit(str(url))
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)


def exchange(url: str | httpx.URL, *parts: bytes) -> Answer:
    """Sends bytes, and no more after them; returns everything that comes until the server ends it."""
    with connect(url) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except OSError:
            pass  # refused while it was still being sent
        return Answer(received(connection))


def received(connection: socket.socket) -> bytes:
    """Everything until the other side ends."""
    got = b""
    try:
        while part := connection.recv(65_536):
            got += part
    except OSError:
        pass
    return got


def post(shop: Shop, body: bytes, *headers: str, path: str = "/v1/track", key: str = "import") -> bytes:
    """A request that is closed after its answer; Content-Length is the caller's."""
    token = shop.keys[key]
    lines = [f"POST {path} HTTP/1.1", "Host: here", f"Authorization: Bearer {token}", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def sized(body: bytes) -> str:
    """The header that says how long a body is."""
    return f"Content-Length: {len(body)}"
