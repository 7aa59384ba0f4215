"""Callbacks are called over TLS on loopback; whatever the name or the server does, nothing inside is reached."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import pytest

from identity.values.errors import BadCallback, Undelivered
from identity.webhooks.client import CallbackAnswer, Client
from tests.support.webhooks.one_post import BODY, called
from tests.support.webhooks.tls_server import (
    HOST,
    OK,
    Authority,
    Names,
    authority,
    client,
    serving,
    telling,
)

SPACE = bytes(16)


def test_a_post_sends_the_body_and_headers_and_reads_the_response() -> None:
    """A callback gets the body, the headers and its own name, in TLS and in the request."""
    answer, server = called(telling(OK))
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")

    assert answer == CallbackAnswer(200, "application/json", b"{}")
    assert (server.names, server.connections) == ([HOST], 1)
    assert body == BODY
    assert head.split(b"\r\n")[0] == b"POST /hook?a=1 HTTP/1.1"
    sent = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert sent[b"host"] == f"{HOST}:{server.port}".encode()
    assert sent[b"webhook-id"] == b"m1"
    assert sent[b"content-type"] == b"application/json"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>", 200),
        (b"HTTP/1.1 500 No\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>", 500),
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 307 Again\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 307),
    ],
)
def test_every_status_is_returned_and_no_redirect_followed(answer: bytes, status: int) -> None:
    """Pages, failures and redirects are answers, handed on as they are; no redirect is followed."""
    names = Names(["127.0.0.1"])
    received, server = called(telling(answer), resolve=names)

    assert isinstance(received, CallbackAnswer)
    assert (received.status, received.media_type) == (status, "text/html" if b"html" in answer else "")
    assert (len(names.asked), server.connections) == (1, 1)


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["169.254.169.254"], ["10.0.0.5"], ["::1"], ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["fe80::1%lo"], ["fd00:ec2::254"], ["0.0.0.0"], ["100.100.100.200"],
        ["not an address"],
    ],
)  # fmt: skip
def test_a_name_with_an_inner_address_is_never_connected_to(found: list[str]) -> None:
    """A name with any address that is not public is refused before anything is connected to."""
    error, server = called(telling(OK), found, allowed=[])

    assert isinstance(error, BadCallback)
    assert (server.connections, server.names) == (0, [])


async def test_a_second_lookup_never_happens() -> None:
    """A name is looked up once; that it leads elsewhere afterwards changes nothing."""
    async with serving(telling(OK)) as server:
        names = Names(["192.0.2.1"], ["127.0.0.1"])
        async with client(server, names, allowed=[]) as it:
            with pytest.raises(BadCallback):
                await it.post(server.url(), BODY, {}, SPACE)
        assert (names.asked, server.connections) == ([HOST], 0)

        # 127.0.0.2 stands for the public address that was checked: nobody listens there.
        names = Names(["127.0.0.2"], ["127.0.0.1"])
        async with client(server, names, allowed=[ip_network("127.0.0.2/32")]) as it:
            with pytest.raises(Undelivered):
                await it.post(server.url(), BODY, {}, SPACE)
        assert (names.asked, server.connections) == ([HOST], 0)


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    """Where one address does not answer the next one does."""
    answer, server = called(telling(OK), ["127.0.0.2", "127.0.0.1"], allowed=[ip_network("127.0.0.0/30")])

    assert (isinstance(answer, CallbackAnswer), server.connections) == (True, 1)


@pytest.mark.parametrize(
    "changed",
    [
        lambda: {"server_host": "other.example.org"},
        lambda: {"tls": Authority().trusting()},
        lambda: {"tls": None},
    ],
    ids=["another name", "another authority", "the public authorities"],
)
def test_a_certificate_that_is_not_valid_for_the_name_is_refused(changed: Callable[[], dict[str, Any]]) -> None:
    """Only a certificate of the name, by an authority that is trusted, gets to see the message."""
    error, server = called(telling(OK), **changed())

    assert isinstance(error, Undelivered)
    assert "certificate" in str(error)
    assert server.requests == []


async def test_old_versions_of_tls_are_refused() -> None:
    """A server that knows nothing newer than TLS 1.1 is not spoken to."""
    old = authority().serving(HOST)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(telling(OK), tls=old) as server, client(server) as it:
        with pytest.raises(Undelivered):
            await it.post(server.url(), BODY, {}, SPACE)
        assert server.requests == []


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the environment is asked."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    answer, server = called(telling(OK))

    assert (isinstance(answer, CallbackAnswer), server.connections) == (True, 1)


async def test_nothing_inside_by_default() -> None:
    """A client as it is made in production calls neither loopback nor other ports, and no name that means it."""
    async with serving(telling(OK)) as server:
        plain = Client(ports={server.port})
        for host in ("localhost", "127.0.0.1", "localhost.localdomain"):
            with pytest.raises((BadCallback, Undelivered)):
                await plain.post(f"https://{host}:{server.port}/", BODY, {}, SPACE)
        await plain.aclose()
        usual = Client(resolve=Names(["127.0.0.1"]), allowed=[ip_network("127.0.0.0/8")])
        with pytest.raises(BadCallback):
            await usual.post(server.url(), BODY, {}, SPACE)
        await usual.aclose()
        assert server.connections == 0


async def _no_such_host(_host: str, _port: int) -> list[str]:
    raise OSError(-2, "Name or service not known")


async def _slow_lookup(_host: str, _port: int) -> list[str]:
    await asyncio.sleep(60)
    return []


@pytest.mark.parametrize("resolve", [_no_such_host, _slow_lookup, Names([])])
def test_a_lookup_that_fails_or_hangs_is_undelivered(resolve: Callable[[str, int], Awaitable[list[str]]]) -> None:
    """A name that leads nowhere, or takes too long to look up, is not delivered to."""
    error, server = called(telling(OK), resolve=resolve, seconds=0.2)

    assert isinstance(error, Undelivered)
    assert server.connections == 0


async def test_the_resolver_of_the_system_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself a client asks the system, once, beside the loop; a lookup that hangs holds nothing up."""
    asked: list[tuple[str, str]] = []
    ask, go_on = socket.getaddrinfo, threading.Event()

    def asking(host: str, *rest: Any, **named: Any) -> Any:
        if host != HOST:
            return ask(host, *rest, **named)
        asked.append((host, threading.current_thread().name))
        return ask("127.0.0.1", *rest, **named)

    def hanging(*_rest: Any, **_named: Any) -> Any:
        go_on.wait(60)
        return []

    async with serving(telling(OK)) as server, client(server, resolve=None, seconds=1) as it:
        monkeypatch.setattr(socket, "getaddrinfo", asking)
        assert (await it.post(server.url(), BODY, {}, SPACE)).status == 200
        monkeypatch.setattr(socket, "getaddrinfo", hanging)
        with pytest.raises(Undelivered):
            await it.vet(server.url(), SPACE)
        go_on.set()
    ((host, thread),) = asked
    assert host == HOST
    assert thread.startswith("resolve")


async def test_a_callback_is_checked_without_calling_it() -> None:
    """A callback is checked when it is registered, its name looked up, and nothing connected to."""
    async with serving(telling(OK)) as server:
        async with client(server) as it:
            await it.vet(server.url(), SPACE)
            with pytest.raises(BadCallback):
                await it.vet("https://10.1.2.3/", SPACE)
        async with client(server, allowed=[]) as it:
            with pytest.raises(BadCallback):
                await it.vet(server.url(), SPACE)
        async with client(server, resolve=_slow_lookup, seconds=0.1) as it:
            with pytest.raises(Undelivered):
                await it.vet(server.url(), SPACE)
        assert server.connections == 0
