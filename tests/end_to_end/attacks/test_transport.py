"""Attacks 1 to 19: bodies and encodings.

On the collection surface a body that cannot be read is 400, natively 413 where it is too large.
Whatever comes, the server goes on serving: every test ends with an ordinary call.
"""

import gzip
import socket
import zlib

import httpx
import psutil
import pytest

from tests.app.conftest import Shop
from tests.conftest import Running
from tests.end_to_end.attacks.wire import connect, exchange, post, sized
from tests.support.http.attacked_shop import LIMIT, call, nobody, refused

pytestmark = pytest.mark.usefixtures("goes_on")


def sent(shop: Shop, body: bytes, **headers: str) -> httpx.Response:
    """A body, as it is, to a single collection route."""
    return shop.ask("POST", "/v1/track", "import", content=body, headers=headers)


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
    deep = b'{"userId":"u1","event":"E","properties":' + b'{"a":' * 33 + b"1" + b"}" * 34

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
    answers.append(shop.ask("POST", "/v1/track", "import", json={"event": "E", "userId": "u1", "properties": many}))

    assert {refused(answer) for answer in answers} <= {"too_large", "too_many_traits", "too_many_properties"}
    assert nobody(shop)


def test_attack_11_a_name_twice(shop: Shop) -> None:
    """The last one counts, as with every parser, for the id and for what is stored."""
    assert sent(shop, b'{"userId":"a","userId":"b","event":"e"}').status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:b").status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:a").status_code == 404


@pytest.mark.parametrize("number", ["01", "+1", "0x10", ".5", "NaN1", "--1"])
def test_attack_12_invalid_numbers_are_refused(shop: Shop, number: str) -> None:
    """Numbers outside JSON are refused."""
    assert (
        refused(sent(shop, f'{{"userId":"u1","event":"E","properties":{{"n":{number}}}}}'.encode())) == "invalid_json"
    )


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_attack_12_numbers_that_no_json_can_hold_are_null(shop: Shop, number: str) -> None:
    """Such a number names nobody, and costs its value alone."""
    call = f'{{"userId":{number},"anonymousId":"d","event":"E","properties":{{"n":{number}}}}}'
    assert sent(shop, call.encode()).status_code == 200
    found = shop.ask("GET", "/v1/profiles/anonymous_id:d").json()
    assert [each["type"] for each in found["identifiers"]] == ["anonymous_id"]


def test_attack_13_half_a_pair(shop: Shop) -> None:
    """It spoils one text, and nobody is mistaken for anybody."""
    for at, user in enumerate(("\\ud800", "a\\udfff")):
        assert sent(shop, f'{{"userId":"{user}","anonymousId":"d{at}","event":"E"}}'.encode()).status_code == 200
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
def test_attack_16_invalid_utf8_names_nobody(shop: Shop, bad: bytes) -> None:
    """Invalid UTF-8 spoils one text, and outside a text it is no JSON."""
    assert sent(shop, b'{"userId":"u' + bad + b'","anonymousId":"d","event":"E"}').status_code == 200
    found = shop.ask("GET", "/v1/profiles/anonymous_id:d").json()
    assert [each["type"] for each in found["identifiers"]] == ["anonymous_id"]
    assert refused(sent(shop, b'{"userId":' + bad + b"}")) == "invalid_json"


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
