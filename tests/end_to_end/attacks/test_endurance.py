"""A thousand slow connections: others are served meanwhile, and the server closes the slow ones."""

import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.app.conftest import new_shop
from tests.conftest import Running

SLOW = 1_000


@pytest.fixture
def many_files() -> Iterator[None]:
    """Room for as many sockets; the server inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * SLOW if hard == resource.RLIM_INFINITY else min(4 * SLOW, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_slow_connections(many_files: None, hasty: Running) -> None:
    """Each sends a byte now and then: one half of a head, the other of a body."""
    assert many_files is None
    parts = urlsplit(hasty.url)
    address = (parts.hostname or "", parts.port or 0)
    with httpx.Client(base_url=hasty.url, timeout=60) as client, selectors.DefaultSelector() as selector:
        shop = new_shop(client, {"Authorization": f"Bearer {hasty.admin_token}"})
        head = b"POST /v1/track HTTP/1.1\r\nHost: here\r\n"
        slow = [socket.create_connection(address) for _ in range(SLOW)]
        for at, each in enumerate(slow):
            each.sendall(head + (b"X-Slow: " if at % 2 else b"Content-Length: 1000\r\n\r\n"))
            each.setblocking(False)
            selector.register(each, selectors.EVENT_READ)
        ended: set[int] = set()
        answers = b""
        taken = 0
        deadline = time.monotonic() + 60
        while len(ended) < SLOW:
            assert time.monotonic() < deadline, f"{SLOW - len(ended)} are still there"
            for each in slow[taken % 10 :: 10]:
                if each.fileno() not in ended:
                    with suppress(OSError):
                        each.send(b"x")
            assert shop.send({"type": "track", "event": "E", "userId": "ann"})[0]["status"] == "accepted"
            taken += 1
            for key, _ in selector.select(0):
                ended.add(key.fd)
                deadline = time.monotonic() + 60
                answers += _heard(key.fileobj)
                selector.unregister(key.fileobj)
        for each in slow:
            each.close()

        assert {b"head_timeout" in answers, b"body_timeout" in answers} == {True}
        assert shop.ask("GET", "/v1/profiles/user_id:ann").json()["event_count"] == taken
        process = psutil.Process(hasty.process.pid)
        deadline = time.monotonic() + 60
        while len([each for each in process.net_connections() if each.status == "ESTABLISHED"]) > 50:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _heard(connection: object) -> bytes:
    """The answer before the connection was cut, empty where the reset lost it."""
    assert isinstance(connection, socket.socket)
    try:
        return connection.recv(4_096)
    except OSError:
        return b""


def test_more_connections_than_there_may_be(server: Callable[..., Running]) -> None:
    """Connections above the limit get 503; those below are served, and so are new ones after the others have gone."""
    running = server(ONEFOLD_CONNECTIONS="20")
    parts = urlsplit(running.url)
    address = (parts.hostname or "", parts.port or 0)
    held = [socket.create_connection(address, timeout=60) for _ in range(40)]
    refused = []
    for each in held[20:]:
        refused.append(each.recv(4_096))
        each.close()
    assert all(answer.startswith(b"HTTP/1.1 503") and b"retry-after" in answer for answer in refused)
    held[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert held[0].recv(4_096).startswith(b"HTTP/1.1 200")
    for each in held[:20]:
        each.close()
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{running.url}/healthz", timeout=60).status_code == 200:
                break
        except httpx.HTTPError:
            assert time.monotonic() < deadline


def test_attack_130_idle_connections_keep_no_probe_out(server: Callable[..., Running]) -> None:
    """Beyond the bound of an address, and beyond that of the server: probes are answered, all else is refused."""
    running = server(ONEFOLD_CONNECTIONS="100", ONEFOLD_ADDRESS_CONNECTIONS="20")
    parts = urlsplit(running.url)
    held = [socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) for _ in range(20)]
    for more in (0, 300):
        held += [socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) for _ in range(more)]
        for path in ("/healthz", "/readyz?from=probe"):
            answer = httpx.get(f"{running.url}{path}", timeout=60)
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        other = httpx.get(f"{running.url}/v1/profiles/user_id:u1", timeout=60)
        assert (other.status_code, other.json()["code"]) == (503, "too_many_connections")
    for each in held:
        each.close()
