"""The collection routes over the wire: what is taken, what is refused, and in which shape."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from app.http import ingest_endpoint
from app.http.body import BODY_LIMIT, MOST_DEPTH
from identity.operations.ingest.request import LARGEST_ITEM, MOST_ITEMS
from identity.planning.resolution.extract import REJECTIONS, TOO_MANY_TRAITS
from identity.values.calls import KINDS
from tests.app.conftest import Shop, new_shop
from tests.conftest import Running

OUTCOMES = {"Prefer": "return=representation"}
CALLS: dict[str, dict[str, Any]] = {
    "identify": {"userId": "u1", "traits": {"plan": "pro"}},
    "track": {"userId": "u1", "event": "Bought"},
    "page": {"userId": "u1", "name": "Home"},
    "screen": {"userId": "u1", "name": "Home"},
    "group": {"userId": "u1", "groupId": "g1"},
    "alias": {"userId": "u1", "previousId": "a1"},
}


def read(shop: Shop, identifier: str) -> httpx.Response:
    """The profile of an identifier."""
    return shop.ask("GET", f"/v1/profiles/{quote(identifier, safe='')}", "profiles")


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose shape SDKs rely on."""
    document = answer.json()
    assert set(document) == {"success", "code", "message"}
    assert document["success"] is False
    assert isinstance(document["message"], str)
    return answer.status_code, document["code"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["/v1/{}", "/v1/{}/"])
@pytest.mark.parametrize("short", [False, True])
def test_single(shop: Shop, kind: str, form: str, short: bool) -> None:  # noqa: FBT001
    """Each kind of call has its route, by word and by letter; the path says the kind, not the body."""
    path = form.format(kind[0] if short else kind)

    answer = shop.ask("POST", path, "write", json={**CALLS[kind], "type": "nonsense"})

    assert (answer.status_code, answer.content) == (200, b'{"success":true}')
    assert read(shop, "user_id:u1").json()["event_count"] == 1


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/v1/batch/"])
def test_batch(shop: Shop, path: str) -> None:
    """A batch holds calls of all kinds, and each says its own."""
    batch = [{**call, "type": kind} for kind, call in CALLS.items()]

    answer = shop.ask("POST", path, "write", json={"batch": batch})

    assert (answer.status_code, answer.json()) == (200, {"success": True})
    profile = read(shop, "user_id:u1").json()
    assert (profile["event_count"], profile["traits"], profile["groups"]) == (6, {"plan": "pro"}, ["g1"])


def test_empty_batch(shop: Shop) -> None:
    """A batch of nothing is taken, whole."""
    assert shop.ask("POST", "/v1/batch", json={"batch": []}, headers=OUTCOMES).json() == {
        "success": True,
        "outcomes": [],
    }


def test_outcomes_in_order(shop: Shop) -> None:
    """Who asks with a server-side key is told what became of each call, in their order."""
    batch = [
        {"type": "track", "userId": "u1", "messageId": "m1"},
        {"type": "track", "userId": "u1", "messageId": "m1"},
        {"type": "nonsense", "userId": "u1", "messageId": "m2"},
        7,
        {"type": "track", "messageId": "m3"},
        {"type": "track", "userId": "u1", "messageId": "m4", "properties": {"a": "x" * LARGEST_ITEM}},
    ]

    answer = shop.ask("POST", "/v1/batch", "import", json={"batch": batch}, headers=OUTCOMES)

    assert answer.headers["preference-applied"] == "return=representation"
    told = [(each["message_id"], each["status"], each["reason"]) for each in answer.json()["outcomes"]]
    assert told == [
        ("m1", "accepted", None),
        ("m1", "duplicate", None),
        ("m2", "rejected", "invalid_type"),
        (None, "rejected", "not_an_object"),
        ("m3", "unresolved", None),
        ("m4", "rejected", "too_large"),
    ]


def test_write_key_is_told_nothing(shop: Shop) -> None:
    """A public key cannot learn from outcomes who is known or suppressed."""
    answer = shop.ask(
        "POST", "/v1/batch", "write", json={"batch": [{"type": "track", "userId": "u"}]}, headers=OUTCOMES
    )

    assert answer.json() == {"success": True}
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"traits": [1]}, "traits_not_object"),
        ({"context": 1}, "context_not_object"),
        ({"messageId": "m" * 101}, "message_id_too_long"),
        ({"traits": {f"t{number}": 1 for number in range(TOO_MANY_TRAITS)}}, "too_many_traits"),
        ({"properties": {"a": "x" * LARGEST_ITEM}}, "too_large"),
    ],
)
def test_single_rejected(shop: Shop, call: dict[str, Any], code: str) -> None:
    """A single call that is rejected is a 400 with its code and a message."""
    answer = shop.ask("POST", "/v1/identify", "write", json={"userId": "u1", **call})

    assert refused(answer) == (400, code)
    assert answer.json()["message"] == REJECTIONS.get(code, ingest_endpoint.TOO_LARGE)
    assert read(shop, "user_id:u1").status_code == 404


def test_too_long(shop: Shop) -> None:
    """A batch of too many calls is refused whole."""
    batch = [{"type": "track", "userId": "u1"}] * (MOST_ITEMS + 1)

    assert refused(shop.ask("POST", "/v1/batch", json={"batch": batch})) == (400, "batch_too_long")
    assert read(shop, "user_id:u1").status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b"{", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"a":1e999}', "invalid_json"),
        (b'"x"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"[]", "not_an_object"),
        (b" " * (BODY_LIMIT + 1), "body_too_large"),
    ],
    ids=lambda value: str(value[:12]),
)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_unreadable(shop: Shop, path: str, body: bytes, code: str) -> None:
    """A body that cannot be read is a 400, whatever is wrong with it."""
    assert refused(shop.ask("POST", path, "write", content=body)) == (400, code)


@pytest.mark.parametrize("document", [{}, {"batch": None}, {"batch": {}}, {"batch": "x"}, {"type": "track"}])
def test_no_batch(shop: Shop, document: dict[str, Any]) -> None:
    """A batch route takes nothing but a list of calls."""
    assert refused(shop.ask("POST", "/v1/batch", "write", json=document)) == (400, "batch_not_a_list")


def test_deepest(shop: Shop) -> None:
    """What is nested as deeply as can be taken can be read back, in every form."""
    depth = MOST_DEPTH - 2
    trait = "[" * depth + "]" * depth
    content = f'{{"userId":"u1","messageId":"m1","traits":{{"deep":{trait}}}}}'

    assert shop.ask("POST", "/v1/identify", "write", content=content.encode()).status_code == 200
    for path in ("/v1/profiles/user_id:u1", "/v1/profiles/user_id:u1?verbose=true", "/v1/profiles"):
        assert trait in shop.ask("GET", path).text
    assert shop.ask("GET", "/v1/profiles/user_id:u1/history").status_code == 200
    found = shop.ask("POST", "/v1/profiles/lookup", json={"identifiers": ["user_id:u1"]})
    assert trait in found.text


def test_big_numbers(shop: Shop) -> None:
    """A number beyond 64 bits is kept to the last digit, as text."""
    number = 2**64 + 1
    shop.ask("POST", "/v1/identify", "write", content=json.dumps({"userId": "u1", "traits": {"n": number, "m": 2**53}}))

    assert read(shop, "user_id:u1").json()["traits"] == {"n": str(number), "m": 2**53}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_content_type_is_ignored(shop: Shop, content_type: str) -> None:
    """Browsers send JSON as text/plain; the type says nothing."""
    headers = {"Content-Type": content_type}

    assert shop.ask("POST", "/v1/track", "write", content=b'{"userId":"u1"}', headers=headers).status_code == 200


def chunks(body: bytes) -> Iterator[bytes]:
    """A body in small parts, so that it is sent chunked."""
    for at in range(0, len(body), 10):
        yield body[at : at + 10]


def test_gzip_chunked(shop: Shop) -> None:
    """A gzip body without a length is what some SDKs always send."""
    body = gzip.compress(json.dumps({"batch": [{"type": "track", "userId": "u1"}]}).encode())

    answer = shop.ask("POST", "/v1/b", "write", content=chunks(body), headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 200
    assert read(shop, "user_id:u1").status_code == 200


def test_bomb(shop: Shop) -> None:
    """A small body that inflates to a large one is refused."""
    bomb = gzip.compress(bytes(20_000_000))

    answer = shop.ask("POST", "/v1/b", "write", content=bomb, headers={"Content-Encoding": "gzip"})

    assert refused(answer) == (400, "body_too_large")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
def test_other_method(client: httpx.Client, method: str) -> None:
    """Collection takes POST and says so."""
    answer = client.request(method, "/v1/track")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("path", "key", "kept"), [
    ("/v1/import", "import", True),
    ("/v1/import", "admin", True),
    ("/v1/import", "write", False),
    ("/v1/batch", "import", False),
])  # fmt: skip
def test_history(shop: Shop, path: str, key: str, kept: bool) -> None:  # noqa: FBT001
    """Only an import with a server-side key says when its calls were received."""
    call = {"type": "track", "userId": "u1", "receivedAt": "2020-01-01T00:00:00Z"}

    assert shop.ask("POST", path, key, json={"batch": [call]}).status_code == 200
    seen = read(shop, "user_id:u1").json()["identifiers"][0]["first_seen"]
    assert seen.startswith("2020-01-01") == kept


def test_shared_context(shop: Shop) -> None:
    """The context of a batch belongs to each call; a call's own comes first."""
    batch = [
        {"type": "track", "userId": "u1"},
        {"type": "track", "userId": "u2", "context": {"device": {"type": "ios", "id": "d2"}}},
    ]
    context = {"device": {"type": "ios", "id": "d1"}}

    assert shop.ask("POST", "/v1/batch", "write", json={"batch": batch, "context": context}).status_code == 200
    found = {each["type"]: each["value"] for each in read(shop, "user_id:u1").json()["identifiers"]}
    assert found == {"user_id": "u1", "ios.id": "d1"}
    found = {each["type"]: each["value"] for each in read(shop, "user_id:u2").json()["identifiers"]}
    assert found == {"user_id": "u2", "ios.id": "d2"}


def test_pipelined(shop: Shop, live: Running) -> None:
    """Requests sent one behind the other on a connection are answered in order."""
    host, port = urlsplit(live.url).netloc.split(":")
    body = json.dumps({"userId": "u1", "writeKey": shop.keys["write"]}).encode()
    request = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(request * 3 + b"GET /v1/track HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answered.count(b"HTTP/1.1 200") == 3
    assert answered.rindex(b"HTTP/1.1 200") < answered.index(b"HTTP/1.1 405")


def test_gone_client(shop: Shop, live: Running) -> None:
    """A client that goes away while it sends leaves nothing behind, and the server serves on."""
    host, port = urlsplit(live.url).netloc.split(":")
    head = b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(head)

    assert shop.ask("POST", "/v1/track", "write", json={"userId": "u1"}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/m", "/v1/m/"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_metrics_of_sdks(client: httpx.Client, path: str, encoding: str) -> None:
    """They come as calls do, and are dropped as they come."""
    body = b'{"series":[]}'
    content = gzip.compress(body) if encoding == "gzip" else body
    answer = client.post(path, content=content, headers={"Content-Encoding": encoding})

    assert (answer.status_code, answer.json()) == (200, {"success": True})


@pytest.mark.parametrize("of", ["nobody", "import", "revoked"])
def test_settings_of_no_write_key(shop: Shop, of: str) -> None:
    """Refused as collection refuses it, and without the header that raises a password prompt."""
    keys = {**shop.keys, "nobody": "of_nobody"}
    if of == "revoked":
        made = shop.ask("POST", "/v1/keys", json={"name": "gone", "scopes": ["write"]}).json()
        keys[of] = made["secret"]
        assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").status_code == 204
    answer = shop.client.get(f"/v1/projects/{keys[of]}/settings")

    assert refused(answer) == (401, "invalid_write_key")
    assert "www-authenticate" not in answer.headers


def test_head(shop: Shop) -> None:
    """HEAD tells of settings what GET does, but for the body."""
    path = f"/v1/projects/{shop.keys['write']}/settings"
    head, get = shop.client.head(path), shop.client.get(path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert shop.client.head("/v1/projects/nobody/settings").status_code == 401
    assert shop.client.head("/healthz").status_code == 200
    assert shop.client.head("/v1/rules").status_code == 401


def test_settings_name_the_public_url(server: Callable[..., Running]) -> None:
    """Where it is set, SDKs are sent there, whatever host they asked."""
    running = server(ONEFOLD_PUBLIC_URL="https://cdp.example.com/")
    with httpx.Client(base_url=running.url, timeout=60) as client:
        shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        told = client.get(f"/v1/projects/{shop.keys['write']}/settings", headers={"Host": "a b"}).json()

    segment = told["integrations"]["Segment.io"]
    assert (segment["protocol"], segment["apiHost"]) == ("https", "cdp.example.com/v1")
