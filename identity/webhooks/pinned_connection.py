"""Connections to checked addresses only, from which no more than so many bytes are ever read.

httpcore asks for a connection to a name and gets one to an address that was checked for that name; it verifies the
certificate of the name. Invariant: there is no second lookup, which could give another address.
"""

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from identity.values.errors import Undelivered


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the first of `addresses` that answers, for `host` alone; reads `longest` bytes at most."""

    def __init__(self, host: str, addresses: Sequence[str], longest: int) -> None:
        self._backend = httpcore.AnyIOBackend()
        self._host = host
        self._addresses = addresses
        self._longest = longest

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to one of the addresses; httpcore.ConnectError or ConnectTimeout if none answers."""
        if host != self._host:
            raise httpcore.ConnectError
        failed: Exception = httpcore.ConnectError()
        for address in self._addresses:
            try:
                stream = await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Measured(stream, self._longest)
        raise failed

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ASYNC109, ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """There are none."""
        raise httpcore.ConnectError

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._backend.sleep(seconds)


class _Measured(httpcore.AsyncNetworkStream):
    """A stream from which `left` more bytes are read; headers and what precedes them count."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, left: int) -> None:
        self._stream = stream
        self._left = left

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(max_bytes, timeout)
        self._left -= len(data)
        if self._left < 0:
            raise Undelivered("The response of the callback is too long.")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return _Measured(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
