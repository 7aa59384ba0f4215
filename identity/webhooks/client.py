"""Posts to callbacks: looked up once, checked, connected to what was checked, cut off in time and length.

No redirect is followed, no proxy is asked and nothing of the environment is read; no connection
outlives its call. A response is untrusted: its status means that the message was accepted, no more.
"""

import asyncio
import socket
import ssl
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpcore
from msgspec import Struct

from identity.values.errors import Undelivered
from identity.webhooks.callback_urls import PORTS, Callback, read_callback
from identity.webhooks.host_lookups import RESOLVERS, HostLookups, Resolve
from identity.webhooks.pinned_connection import CheckedBackend
from identity.webhooks.ssrf_guard import Network, require_public

SECONDS: Final = 5.0
LONGEST: Final = 256 * 1024
MOST_ADDRESSES: Final = 4
_HEADERS: Final[Mapping[str, str]] = {
    "user-agent": "Onefold",
    "accept": "application/json",
    "content-type": "application/json",
}


class CallbackAnswer(Struct, frozen=True):
    """The response of a callback: its status, the media type it declares, its body."""

    status: int
    media_type: str
    body: bytes


def tls_context(authority: Path | None) -> ssl.SSLContext:
    """Trusts the public authorities and one more (PEM). OSError if that file cannot be read."""
    context = httpcore.default_ssl_context()
    if authority is not None:
        context.load_verify_locations(authority)
    return context


class Client:
    """Calls callbacks. `aclose` it.

    For an operator's own network and for tests, `allowed` networks may be called though they are not public,
    `tls` trusts other authorities, and `ports` may be used. A call may take `seconds` from the lookup to the last
    byte, and read `longest` bytes.
    """

    def __init__(
        self,
        *,
        resolve: Resolve | None = None,
        allowed: Collection[Network] = (),
        tls: ssl.SSLContext | None = None,
        ports: Collection[int] = PORTS,
        seconds: float = SECONDS,
        longest: int = LONGEST,
    ) -> None:
        # Lookups have threads of their own: names that never resolve hold up nothing else.
        self._threads = ThreadPoolExecutor(RESOLVERS, "resolve")
        self._lookups = HostLookups(resolve or self._look_up)
        self._allowed = tuple(allowed)
        self._tls = tls or httpcore.default_ssl_context()
        self._ports = frozenset(ports)
        self._seconds = seconds
        self._longest = longest

    async def aclose(self) -> None:
        """Stop the lookup threads, without waiting for a lookup that hangs."""
        self._lookups.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def vet(self, url: str, space: bytes) -> None:
        """Check that a callback of a space can be called, when it is registered. BadCallback, Undelivered."""
        callback = read_callback(url, self._ports)
        try:
            async with asyncio.timeout(self._seconds):
                await self._addresses(callback, space)
        except TimeoutError:
            raise Undelivered("The host of the callback could not be looked up in time.") from None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], space: bytes) -> CallbackAnswer:
        """Post JSON to a callback of a space. BadCallback if it may not be called, Undelivered without an answer."""
        callback = read_callback(url, self._ports)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(callback, await self._addresses(callback, space), body, headers)
        except TimeoutError:
            raise Undelivered("The callback did not answer in time.") from None
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, ssl.SSLError):
                raise Undelivered("The certificate or encryption of the callback is not valid.") from None
            raise Undelivered from None
        except httpcore.ProtocolError:
            raise Undelivered("The callback did not answer in HTTP. Check its address and port.") from None

    async def _addresses(self, callback: Callback, space: bytes) -> list[str]:
        found = await self._lookups.addresses(callback.host, callback.port, space)
        if not found:
            raise Undelivered("The host of the callback could not be looked up.")
        return require_public(found, self._allowed)

    async def _post(
        self, callback: Callback, addresses: Sequence[str], body: bytes, headers: Mapping[str, str]
    ) -> CallbackAnswer:
        url = httpcore.URL(
            scheme=b"https", host=callback.host.encode(), port=callback.port, target=callback.target.encode()
        )
        sent = [(name.encode(), value.encode()) for name, value in {**_HEADERS, **headers}.items()]
        tried = addresses[:MOST_ADDRESSES]
        backend = CheckedBackend(callback.host, tried, self._longest)
        # One address that swallows everything leaves time for the others.
        share = {"timeout": {"connect": self._seconds / len(tried)}}
        async with (
            httpcore.AsyncConnectionPool(
                self._tls, max_connections=1, max_keepalive_connections=0, network_backend=backend
            ) as pool,
            pool.stream("POST", url, headers=sent, content=body, extensions=share) as response,
        ):
            media = [value for name, value in response.headers if name.lower() == b"content-type"]
            return CallbackAnswer(response.status, b", ".join(media).decode("latin-1"), await response.aread())

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _system, host, port)
        return list(dict.fromkeys(found))


def _system(host: str, port: int) -> list[str]:
    return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
