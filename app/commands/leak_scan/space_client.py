"""Requests to a server with the keys of one space: proper ones, and bytes that are no HTTP."""

import contextlib
import json
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from identity.values.errors import DatabaseUnavailable

_SECONDS: Final = 600
"""The longest wait for an answer: the server may run beside much else."""


class Ask(Protocol):
    """Makes requests of a server; `SpaceClient` is the one that does."""

    def __call__(
        self, key: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status of an answer, and its headers and body."""

    def send_raw(self, content: bytes) -> bytes:
        """Everything the server answers to bytes that may be no HTTP."""


class SpaceClient:
    """Makes requests of a server, each on a connection of its own; threads may share it."""

    def __init__(self, url: str, keys: Mapping[str, str]) -> None:
        self._parts, self._keys = urlsplit(url), keys

    def __call__(
        self, key: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status of an answer, and its headers and body. `key` is the name of a key, or a secret."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=_SECONDS)
        sent = {"Authorization": f"Bearer {self._keys.get(key, key)}", **(headers or {})}
        try:
            # A server that answers before the body has arrived may close: its answer is there all the same.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, content, sent)
            answer = connection.getresponse()
            return answer.status, repr(answer.getheaders()).encode() + answer.read()
        except (OSError, HTTPException) as error:
            raise DatabaseUnavailable from error
        finally:
            connection.close()

    def send_raw(self, content: bytes) -> bytes:
        """Everything the server answers to bytes that may be no HTTP."""
        address = (self._parts.hostname or "", self._parts.port or 80)
        with socket.create_connection(address, timeout=_SECONDS) as connection:
            answer = b""
            with contextlib.suppress(OSError):
                connection.sendall(content)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65_536):
                    answer += part
            return answer
