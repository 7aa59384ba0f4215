"""Bodies, encodings and content types of the collection routes: what is read, and what is refused."""

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.http.body import BODY_LIMIT, MOST_DEPTH
from tests.app.conftest import Shop
from tests.conftest import Running
from tests.support.http.collection_answers import read, refused


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b"{", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"a":1e999,}', "invalid_json"),
        (b'"x"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"[]", "not_an_object"),
        (b" " * (BODY_LIMIT + 1), "body_too_large"),
    ],
    ids=lambda value: str(value[:12]),
)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_an_unreadable_body_is_a_400(common_shop: Shop, path: str, body: bytes, code: str) -> None:
    """Each fault has its own code."""
    assert refused(common_shop.ask("POST", path, "write", content=body)) == (400, code)


@pytest.mark.parametrize(
    "document", [{}, {"batch": None}, {"batch": {}}, {"batch": "x"}, {"type": "track", "event": "E"}]
)
def test_a_batch_route_takes_only_a_list_of_calls(common_shop: Shop, document: dict[str, Any]) -> None:
    """Any other document is refused."""
    assert refused(common_shop.ask("POST", "/v1/batch", "write", json=document)) == (400, "batch_not_a_list")


@pytest.mark.parametrize("name", ["Batch", "batches", "events"])
def test_a_list_of_calls_under_another_name_is_named(shop: Shop, name: str) -> None:
    """Without a batch, and with an empty one beside a misspelt one: nothing is answered as taken."""
    body: dict[str, Any] = {name: [{"type": "page", "userId": "u1"}]}
    for sent in (body, {"batch": [], **body}) if name != "events" else (body,):
        answer = shop.ask("POST", "/v1/batch", "write", json=sent)
        assert refused(answer) == (400, "batch_not_a_list")
        assert answer.json()["message"].startswith(f"{name} is not read; send ")


def test_the_deepest_accepted_nesting_can_be_read_back(shop: Shop) -> None:
    """In every form in which it is read."""
    depth = MOST_DEPTH - 2
    trait = "[" * depth + "]" * depth
    content = f'{{"userId":"u1","messageId":"m1","traits":{{"deep":{trait}}}}}'

    assert shop.ask("POST", "/v1/identify", "write", content=content.encode()).status_code == 200
    for path in ("/v1/profiles/user_id:u1", "/v1/profiles/user_id:u1?verbose=true", "/v1/profiles"):
        assert trait in shop.ask("GET", path).text
    assert shop.ask("GET", "/v1/profiles/user_id:u1/history").status_code == 200
    found = shop.ask("POST", "/v1/profiles/lookup", json={"identifiers": ["user_id:u1"]})
    assert trait in found.text


def test_a_number_beyond_64_bits_keeps_every_digit(shop: Shop) -> None:
    """It is stored as text."""
    number = 2**64 + 1
    shop.ask("POST", "/v1/identify", "write", content=json.dumps({"userId": "u1", "traits": {"n": number, "m": 2**53}}))

    assert read(shop, "user_id:u1").json()["traits"] == {"n": str(number), "m": 2**53}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_content_type_is_ignored(shop: Shop, content_type: str) -> None:
    """Browsers send JSON as text/plain."""
    headers = {"Content-Type": content_type}

    assert (
        shop.ask("POST", "/v1/track", "write", content=b'{"userId":"u1","event":"E"}', headers=headers).status_code
        == 200
    )


def chunks(body: bytes) -> Iterator[bytes]:
    """A body in small parts, so that it is sent chunked."""
    for at in range(0, len(body), 10):
        yield body[at : at + 10]


def test_a_gzip_body_without_a_length_is_accepted(shop: Shop) -> None:
    """Some SDKs always send one."""
    body = gzip.compress(json.dumps({"batch": [{"type": "track", "event": "E", "userId": "u1"}]}).encode())

    answer = shop.ask("POST", "/v1/b", "write", content=chunks(body), headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 200
    assert read(shop, "user_id:u1").status_code == 200


def test_a_small_body_that_inflates_to_a_large_one_is_refused(shop: Shop) -> None:
    """The limit counts inflated bytes."""
    bomb = gzip.compress(bytes(20_000_000))

    answer = shop.ask("POST", "/v1/b", "write", content=bomb, headers={"Content-Encoding": "gzip"})

    assert refused(answer) == (400, "body_too_large")


def test_pipelined_requests_are_answered_in_order(shop: Shop, live: Running) -> None:
    """Requests sent one after the other on one connection."""
    host, port = urlsplit(live.url).netloc.split(":")
    body = json.dumps({"userId": "u1", "event": "E", "writeKey": shop.keys["write"]}).encode()
    request = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(request * 3 + b"GET /v1/track HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answered.count(b"HTTP/1.1 200") == 3
    assert answered.rindex(b"HTTP/1.1 200") < answered.index(b"HTTP/1.1 405")


def test_a_client_that_disconnects_while_it_sends_leaves_nothing_behind(shop: Shop, live: Running) -> None:
    """The server continues to serve."""
    host, port = urlsplit(live.url).netloc.split(":")
    head = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(head)

    assert shop.ask("POST", "/v1/track", "write", json={"event": "E", "userId": "u1"}).status_code == 200
