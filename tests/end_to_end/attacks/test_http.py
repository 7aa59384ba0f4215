"""Attacks 20 to 24: HTTP itself, from slow heads to smuggled requests, and what rides along with it."""

import pytest

from tests.app.conftest import Shop
from tests.conftest import Running
from tests.end_to_end.attacks.wire import Answer, connect, exchange, post, received, sized
from tests.support.http.attacked_shop import LIMIT, call, nobody, refused

pytestmark = pytest.mark.usefixtures("goes_on")


def test_attack_20_a_byte_now_and_then(hasty: Running) -> None:
    """A head that does not arrive in time is given up, however it trickles."""
    with connect(hasty.url) as connection:
        connection.settimeout(0.5)
        got = b""
        ended = False
        for byte in b"POST /v1/track HTTP/1.1\r\nHost: here\r\nX-Slow: " + b"x" * 40:
            try:
                connection.sendall(bytes([byte]))
                part = connection.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                ended = True
                break
            got += part
            if not part or got:
                ended = True
                break
        assert ended
        assert not got or Answer(got).status == 408


@pytest.mark.parametrize("head", ["X-Large: " + "x" * 65_536, "\r\n".join(f"X-{at}: 1" for at in range(200))])
def test_attack_21_a_large_head(shop: Shop, head: str) -> None:
    """Refused, whole or in parts, before anything is kept of it."""
    whole = exchange(shop.client.base_url, post(shop, call(), head, sized(call())))
    part = exchange(shop.client.base_url, b"GET /healthz HTTP/1.1\r\nX-Large: " + b"x" * 65_536)
    path = exchange(shop.client.base_url, b"GET /" + b"x" * 65_536 + b" HTTP/1.1\r\nHost: here\r\n\r\n")

    assert [answer.status for answer in (whole, part, path)] == [431] * 3


@pytest.mark.parametrize(
    "path",
    [
        "/v1/%2e%2e/metrics",
        "/v1/../metrics",
        "//metrics",
        "/v1//profiles",
        "/v1/profiles/%00",
        "/v1/profiles/user_id:%00",
        "/v1/profiles/..%2f..%2fetc",
        "/v1/track/../import",
        "/%",
        "/v1/profiles/user_id:%zz",
        "/v1/profiles/user_id:%c3%28",
    ],
)
def test_attack_22_odd_paths_lead_nowhere(shop: Shop, path: str) -> None:
    """Odd spellings of a path reach no route."""
    token = f"Authorization: Bearer {shop.keys['admin']}\r\n"
    answer = exchange(
        shop.client.base_url, f"GET {path} HTTP/1.1\r\nHost: x\r\n{token}Connection: close\r\n\r\n".encode()
    )

    assert answer.status in (400, 404)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_attack_23_other_methods_are_refused(shop: Shop, method: str) -> None:
    """No route answers these methods, and TRACE echoes nothing."""
    lines = f"{method} /v1/track HTTP/1.1\r\nHost: x\r\nX-Secret: planted\r\nConnection: close\r\n\r\n"
    answer = exchange(shop.client.base_url, lines.encode())

    assert answer.status == (501 if method == "BREW" else 405)
    assert b"planted" not in answer.raw


def test_attack_23_the_target_of_connect_is_no_path(shop: Shop) -> None:
    """The target of CONNECT is no path, and the answer reports that."""
    answer = exchange(shop.client.base_url, b"CONNECT a.b:443 HTTP/1.1\r\nHost: x\r\n\r\n")

    assert refused(answer) == "invalid_http"


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: -5",
        "Content-Length: 5x",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "X-A: b\r\n continued: yes\r\nContent-Length: 5",
        "X-A: b\nX-B: c",
        "X-A: b\0c",
    ],
)
def test_attack_24_a_smuggled_request_is_refused(shop: Shop, head: str) -> None:
    """A request that two servers could read as two different ones is refused."""
    smuggled = b"0\r\n\r\nPOST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\n" + b'{"userId":"smuggled"}'
    answer = exchange(shop.client.base_url, post(shop, smuggled, *head.split("\r\n")))

    assert answer.raw.count(b"HTTP/1.1 200") == 0
    assert refused(answer) == "invalid_http"
    assert nobody(shop)


def chunked(body: bytes) -> bytes:
    """A body as one chunk, without the end that follows."""
    return b"%x\r\n%b\r\n" % (len(body), body)


@pytest.mark.parametrize("broken", [b"zz\r\n", b"-1\r\n", b"5\r\nabcdefgh\r\n", b"0\r\nX A: b\r\n\r\n"])
@pytest.mark.parametrize("waits", [False, True])
def test_attack_24_a_chunk_that_is_none(shop: Shop, broken: bytes, waits: bool) -> None:  # noqa: FBT001
    """A broken chunk is refused and nothing is stored, with and without Expect: 100-continue."""
    expect = ["Expect: 100-continue"] if waits else []
    with connect(shop.client.base_url) as connection:
        head = post(shop, b"", "Transfer-Encoding: chunked", *expect)
        if waits:
            connection.sendall(head)
            assert connection.recv(1_024).startswith(b"HTTP/1.1 100")
            head = b""
        connection.sendall(head + chunked(call()) + broken)
        assert refused(Answer(received(connection))) == "invalid_http"
    assert nobody(shop)


def test_attack_24_a_broken_body_behind_a_request(shop: Shop) -> None:
    """No answer of its own takes the place of the one that is still owed."""
    body = call()
    first = post(shop, body, sized(body)).replace(b"Connection: close\r\n", b"")
    answer = exchange(shop.client.base_url, first + post(shop, b"zz\r\n", "Transfer-Encoding: chunked"))

    assert answer.status in (0, 200)
    assert answer.raw.count(b"HTTP/1.1") <= 1


def test_attack_24_a_broken_body_behind_its_answer(shop: Shop) -> None:
    """A request has one answer."""
    head = b"PUT /v1/track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(shop.client.base_url) as connection:
        connection.sendall(head)
        # The head and the body of an answer may come apart.
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(4_096)
        assert answer.startswith(b"HTTP/1.1 405")
        connection.sendall(b"zz\r\n")
        assert received(connection) == b""


def test_an_authorization_in_a_trailer_is_no_header(shop: Shop) -> None:
    """Who is asking is known before the body."""
    lines = ["POST /v1/track HTTP/1.1", "Host: x", "Connection: close", "Transfer-Encoding: chunked"]
    trailer = f"0\r\nAuthorization: Bearer {shop.keys['import']}\r\n\r\n"
    answer = exchange(
        shop.client.base_url, "\r\n".join(lines).encode() + b"\r\n\r\n" + chunked(call()) + trailer.encode()
    )

    assert refused(answer, 401) == "invalid_write_key"
    assert nobody(shop)


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01", b"\r\n" * 10 + b"\xff\xfe", b"x" * 70_000])
def test_attack_24_bytes_without_http_are_refused(shop: Shop, noise: bytes) -> None:
    """Bytes without HTTP get an error in the shape that SDKs read, and the connection closes."""
    answer = exchange(shop.client.base_url, noise)

    assert answer.status == 400
    assert refused(answer) == "invalid_http"


def test_two_requests_in_one_packet(shop: Shop) -> None:
    """Each pipelined request is answered, in order."""
    body = call()
    one = post(shop, body, sized(body)).replace(b"Connection: close\r\n", b"")
    answer = exchange(shop.client.base_url, one + post(shop, body, sized(body)))

    assert answer.raw.count(b"HTTP/1.1 200") == 2


def test_a_client_that_waits_to_be_asked(shop: Shop) -> None:
    """Expect: 100-continue is asked to go on, and refused before it has sent what is too large."""
    body = call()
    with connect(shop.client.base_url) as connection:
        connection.sendall(post(shop, b"", sized(body), "Expect: 100-continue"))
        assert connection.recv(1_024).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert Answer(received(connection)).status == 200
    with connect(shop.client.base_url) as connection:
        connection.sendall(post(shop, b"", f"Content-Length: {LIMIT + 1}", "Expect: 100-continue"))
        connection.settimeout(60)
        assert refused(Answer(received(connection))) == "body_too_large"


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "x"])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_an_upgrade_that_is_not_spoken(shop: Shop, protocol: str, in_chunks: bool) -> None:  # noqa: FBT001
    """The request is answered as it stands, with its body, and the connection goes on."""
    body = call()
    framing = "Transfer-Encoding: chunked" if in_chunks else sized(body)
    headers = (framing, f"Upgrade: {protocol}", "HTTP2-Settings: AAMAAABkAAQAAP__")
    first = post(shop, chunked(body) + b"0\r\n\r\n" if in_chunks else body, *headers)
    request = first.replace(b"Connection: close", b"Connection: Upgrade")
    with connect(shop.client.base_url) as connection:
        connection.sendall(request[:-5])
        connection.sendall(request[-5:] + post(shop, body, sized(body)))
        assert Answer(received(connection)).raw.count(b"HTTP/1.1 200") == 2
    assert shop.ask("GET", "/v1/profiles/user_id:u1").json()["event_count"] == 2


def test_an_upgrade_with_an_odd_body(shop: Shop) -> None:
    """It is refused as it is without the upgrade."""
    odd = post(shop, call(), "Transfer-Encoding: xchunked", "Upgrade: x").replace(b": close", b": Upgrade")

    assert refused(exchange(shop.client.base_url, odd)) == "invalid_http"
    assert nobody(shop)


def test_many_upgrades_in_one_packet(shop: Shop) -> None:
    """Each upgrade is answered."""
    one = b"OPTIONS /v1/track HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert exchange(shop.client.base_url, one * 600 + last).raw.count(b"HTTP/1.1 204") == 600
