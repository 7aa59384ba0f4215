"""Attacks 1 to 24: bodies, encodings and HTTP itself.

On the collection surface a body that cannot be read is 400, natively 413 where it is too large.
Whatever comes, the server goes on serving: every test ends with an ordinary call.
"""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import pytest

from tests.app.conftest import Shop
from tests.conftest import Running
from tests.end_to_end.attacks.wire import Answer, connect, exchange, post, received, sized

LIMIT = 500 * 1024


@pytest.fixture(autouse=True)
def goes_on(shop: Shop) -> Iterator[None]:
    """Afterwards an ordinary call is taken."""
    yield
    assert shop.send({"type": "track", "userId": "after"})[0]["status"] == "accepted"


def sent(shop: Shop, body: bytes, **headers: str) -> httpx.Response:
    """A body, as it is, to a single collection route."""
    return shop.ask("POST", "/v1/track", "import", content=body, headers=headers)


def refused(answer: httpx.Response | Answer, status: int = 400) -> str:
    """That it was refused in the shape of the SDKs; returns the code."""
    error = answer.json()
    assert (answer.status if isinstance(answer, Answer) else answer.status_code) == status
    assert error["success"] is False
    assert error["message"]
    code: str = error["code"]
    return code


def call(**more: Any) -> bytes:
    """An ordinary call."""
    return json.dumps({"userId": "u1", "event": "e", **more}).encode()


def nobody(shop: Shop) -> bool:
    """Whether nothing was stored."""
    return bool(shop.ask("GET", "/v1/profiles").json()["profiles"] == [])


def test_attack_01_a_body_beyond_the_limit_is_refused(shop: Shop) -> None:
    """A declared length beyond the cap is refused before the server reads the body."""
    answer = exchange(shop.client.base_url, post(shop, b"", f"Content-Length: {LIMIT + 1}"))
    beyond = "Content-Length: 10000000000000"
    native = exchange(shop.client.base_url, post(shop, b"", beyond, path="/v1/keys"))

    assert refused(answer) == "body_too_large"
    assert native.status == 413
    assert nobody(shop)


def test_attack_02_too_large_in_chunks(shop: Shop) -> None:
    """Refused in the middle of the stream; the rest is not kept."""
    chunk = b"%x\r\n%s\r\n" % (64 * 1024, b"x" * 64 * 1024)
    answer = exchange(shop.client.base_url, post(shop, b"", "Transfer-Encoding: chunked"), *[chunk] * 64)

    assert refused(answer) == "body_too_large"


def test_attack_02_a_body_without_end(shop: Shop) -> None:
    """After its refusal a client may not send for ever."""
    chunk = b"%x\r\n%s\r\n" % (64 * 1024, b"x" * 64 * 1024)
    with connect(shop.client.base_url) as connection:
        connection.sendall(post(shop, b"", "Transfer-Encoding: chunked"))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _send_for_ever(connection, chunk)


def test_attack_02_a_trailer_without_end(shop: Shop) -> None:
    """What comes behind the last chunk is no body, and has an end all the same."""
    with connect(shop.client.base_url) as connection:
        connection.sendall(post(shop, b"0\r\nX-Large: ", "Transfer-Encoding: chunked"))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            # Far more than may wait on the way, and far less than takes the time that a body has.
            _send_for_ever(connection, b"x" * 64 * 1024, times=1_000)


def _send_for_ever(connection: socket.socket, chunk: bytes, times: int = 100_000) -> None:
    for _ in range(times):
        connection.sendall(chunk)


def test_attack_03_a_length_that_is_too_small(shop: Shop) -> None:
    """What is beyond the length is no part of the call, and no second one."""
    body = call()
    answer = exchange(shop.client.base_url, post(shop, body + call(userId="smuggled"), sized(body)))

    assert answer.raw.count(b"HTTP/1.1 200") == 1
    assert shop.ask("GET", "/v1/profiles/user_id:u1").status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:smuggled").status_code == 404


def test_attack_04_a_gzip_bomb_is_refused_at_the_limit(shop: Shop, live: Running) -> None:
    """A gzip body of 200 kB that inflates to 200 MB is refused at the cap, and memory does not grow."""
    bomb = gzip.compress(b'{"userId":"u1","a":"' + bytes(200_000_000) + b'"}', 9)
    family = psutil.Process(live.process.pid)
    sent(shop, gzip.compress(call()), **{"Content-Encoding": "gzip"})
    before = family.memory_info().rss
    answers = [sent(shop, bomb, **{"Content-Encoding": "gzip"}) for _ in range(5)]

    assert {refused(answer) for answer in answers} == {"body_too_large"}
    assert family.memory_info().rss - before < 20_000_000


@pytest.mark.parametrize("cut", [0, 1, 10, -8, -1])
def test_attack_05_half_a_gzip(shop: Shop, cut: int) -> None:
    """A stream that ends too early is no body."""
    assert refused(sent(shop, gzip.compress(call())[: cut or None][:-1], **{"Content-Encoding": "gzip"}))
    assert nobody(shop)


def test_attack_06_a_bomb_behind_a_call(shop: Shop) -> None:
    """A second member is not read as part of the first."""
    body = gzip.compress(call()) + gzip.compress(bytes(10_000_000))

    assert refused(sent(shop, body, **{"Content-Encoding": "gzip"})) == "invalid_gzip"


@pytest.mark.parametrize("encoding", ["br", "br, gzip", "gzip, gzip", "deflate", "zstd", "\xff"])
def test_attack_07_other_encodings_are_refused(shop: Shop, encoding: str) -> None:
    """The server undoes one layer of gzip and no other encoding."""
    body = gzip.compress(gzip.compress(call())) if encoding == "gzip, gzip" else zlib.compress(call())
    answer = exchange(shop.client.base_url, post(shop, body, sized(body), f"Content-Encoding: {encoding}"))

    assert refused(answer) == "unsupported_encoding"


def test_attack_08_deep_json_is_read(shop: Shop) -> None:
    """Deep JSON within the limit is accepted, and its events stay readable."""
    deep = b'{"userId":"u1","properties":' + b'{"a":' * 33 + b"1" + b"}" * 34

    assert sent(shop, deep).status_code == 200
    assert (
        shop.ask("GET", f"/v1/spaces/{shop.space_id}/collections/users/profiles/user_id:u1/events").status_code == 200
    )


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"batch":['])
def test_attack_09_bottomless_json_is_refused(shop: Shop, opening: bytes) -> None:
    """JSON beyond the depth limit is refused, without a crash."""
    assert refused(sent(shop, opening * 40_000)) == "invalid_json"


def test_attack_10_ten_thousand_keys(shop: Shop) -> None:
    """As traits they are too many, as properties the item is."""
    many = {f"k{at}": at for at in range(10_001)}
    answers = [shop.ask("POST", "/v1/identify", "import", json={"userId": "u1", "traits": many})]
    answers.append(shop.ask("POST", "/v1/track", "import", json={"userId": "u1", "properties": many}))

    assert {refused(answer) for answer in answers} <= {"too_large", "too_many_traits", "too_many_properties"}
    assert nobody(shop)


def test_attack_11_a_name_twice(shop: Shop) -> None:
    """The last one counts, as with every parser, for the id and for what is stored."""
    assert sent(shop, b'{"userId":"a","userId":"b","event":"e"}').status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:b").status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:a").status_code == 404


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "01", "+1", "0x10", ".5"])
def test_attack_12_invalid_numbers_are_refused(shop: Shop, number: str) -> None:
    """Numbers outside JSON are refused."""
    assert refused(sent(shop, f'{{"userId":"u1","properties":{{"n":{number}}}}}'.encode())) == "invalid_json"


def test_attack_13_half_a_pair(shop: Shop) -> None:
    """It spoils one text, and nobody is mistaken for anybody."""
    for at, user in enumerate(("\\ud800", "a\\udfff")):
        assert sent(shop, f'{{"userId":"{user}","anonymousId":"d{at}"}}'.encode()).status_code == 200
        found = shop.ask("GET", f"/v1/profiles/anonymous_id:d{at}").json()
        assert [each["type"] for each in found["identifiers"]] == ["anonymous_id"]


def test_attack_14_nul_names_nobody(shop: Shop) -> None:
    """NUL may stand in stored values, and never in an identifier."""
    body = {"userId": "u\0", "anonymousId": "d", "traits": {"a\0b": "c\0d"}, "messageId": "m1"}
    assert shop.ask("POST", "/v1/identify", "import", json=body).status_code == 200
    found = shop.ask("GET", "/v1/profiles/anonymous_id:d").json()

    assert [each["value"] for each in found["identifiers"]] == ["d"]
    assert found["traits"] == {"a\0b": "c\0d"}


@pytest.mark.parametrize("number", [2**64, -(2**64), 2**53 + 1, 10**30])
def test_attack_15_large_numbers_keep_every_digit(shop: Shop, number: int) -> None:
    """Large numbers are stored to the last digit, never rounded."""
    assert shop.send({"type": "identify", "userId": "u1", "traits": {"n": number}})[0]["status"] == "accepted"
    assert int(shop.ask("GET", "/v1/profiles/user_id:u1").json()["traits"]["n"]) == number


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])
def test_attack_16_invalid_utf8_is_refused(shop: Shop, bad: bytes) -> None:
    """Invalid UTF-8 is refused."""
    assert refused(sent(shop, b'{"userId":"' + bad + b'"}')) == "invalid_json"


def test_attack_17_a_mark_at_the_start(shop: Shop) -> None:
    """A byte order mark is no JSON."""
    assert refused(sent(shop, b"\xef\xbb\xbf" + call())) == "invalid_json"


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"1", b"true", b"  "])
def test_attack_18_a_body_without_an_object_is_refused(shop: Shop, body: bytes) -> None:
    """A body without an object is refused."""
    assert refused(sent(shop, body))


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "a/b; charset=latin-1"])
def test_attack_19_any_content_type(shop: Shop, kind: str) -> None:
    """SDKs send JSON under many names."""
    assert sent(shop, call(), **{"Content-Type": kind}).status_code == 200


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

    assert answer.status in (400, 405)
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
    one = b"OPTIONS /v1/track HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"

    assert exchange(shop.client.base_url, one * 600 + last).raw.count(b"HTTP/1.1 204") == 600
