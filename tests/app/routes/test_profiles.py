"""The native surface over the wire: paths, errors, lists, and what it must not reveal."""

import json
import socket
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest

from app.http.body import BODY_LIMIT
from app.schemas.profiles import MOST_LOOKED_UP
from tests.app.conftest import AUDIT, Shop, log_of
from tests.conftest import Running

PLANTED = "ann.planted@example.com"
UNENCODED = (415, "unsupported_encoding")
ODD = [
    "a/b",
    "a:b",
    "a%b",
    "a%2Fb",
    "a+b",
    "a b",
    "ü/ö",
    "日本",
    "a?b#c",
    "..x",
    "a;b",
    "%",
    "a\\b",
    'a"b',
    "a&b=c",
    "😀",
]


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert set(document) - {"errors"} == {"type", "title", "status", "detail", "code"}
    assert document["status"] == answer.status_code
    return answer.status_code, document["code"]


@pytest.mark.parametrize("value", ODD)
def test_any_value_in_a_path(common_shop: Shop, value: str) -> None:
    """Whatever an identifier or a group is made of, it is found by its percent-encoded path."""
    common_shop.send({"type": "group", "userId": value, "groupId": value, "traits": {"plan": "x"}})

    profile = common_shop.ask("GET", f"/v1/profiles/{quote('user_id:' + value, safe='')}").json()
    assert [each["value"] for each in profile["identifiers"]] == [value]
    history = common_shop.ask("GET", f"/v1/profiles/{quote('user_id:' + value, safe='')}/history")
    assert history.status_code == 200
    group = common_shop.ask("GET", f"/v1/groups/{quote(value, safe='')}").json()
    assert (group["group_id"], group["member_count"]) == (value, 1)


def test_a_path_needs_no_encoding_of_plain_characters(shop: Shop) -> None:
    """A path without percent-encoding finds the profile, in any case of an e-mail address."""
    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "Ann@Example.com"}})

    for path in ("user_id:u1", "email:ann@example.com", "EMAIL:ANN@EXAMPLE.COM", "user_id%3Au1"):
        assert shop.ask("GET", f"/v1/profiles/{path}").status_code == 200


@pytest.mark.parametrize(
    "part", ["user_id:%", "user_id:%2", "user_id:%zz", "user_id:%ff", "user_id:%ed%a0%80", "a%00:b"]
)
@pytest.mark.parametrize("path", ["/v1/profiles/{}", "/v1/profiles/{}/history", "/v1/groups/{}"])
def test_a_path_that_is_not_text_is_answered_400(common_shop: Shop, live: Running, path: str, part: str) -> None:
    """On every route with a part in its path."""
    host, port = urlsplit(live.url).netloc.split(":")
    head = f"GET {path.format(part)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"{head}{common_shop.keys['admin']}\r\n\r\n".encode())
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answered.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answered


@pytest.mark.parametrize(
    "line",
    ["GET /v1/profiles/user_id:ü HTTP/1.1", "GET /v1/%2e%2e/healthz HTTP/1.1", "GET //healthz HTTP/1.1",
     "OPTIONS * HTTP/1.1", "TRACE /healthz HTTP/1.1", "CONNECT /healthz HTTP/1.1"],
)  # fmt: skip
def test_an_odd_request_line_is_refused(live: Running, line: str) -> None:
    """With 400, 404 or 405, never with an error of the server."""
    host, port = urlsplit(live.url).netloc.split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answered = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answered[9:12] in (b"400", b"404", b"405")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("user_id:nobody", (404, "profile_not_found")),
        ("prf_" + "0" * 32, (404, "profile_not_found")),
        ("nonsense", (400, "bad_identifier")),
        ("email:nonsense", (400, "bad_identifier")),
        (":", (400, "bad_identifier")),
    ],
)
def test_an_unknown_profile_is_404_and_an_invalid_identifier_400(
    common_shop: Shop, path: str, code: tuple[int, str]
) -> None:
    """For profiles and for histories."""
    assert problem(common_shop.ask("GET", f"/v1/profiles/{path}")) == code
    assert problem(common_shop.ask("GET", f"/v1/profiles/{path}/history")) == code


@pytest.mark.parametrize(
    ("method", "path", "given", "code"),
    [
        ("GET", "/v1/nothing", {}, (404, "not_found")),
        ("GET", "/v1/profiles/", {}, (404, "not_found")),
        ("DELETE", "/v1/rules", {}, (405, "method_not_allowed")),
        ("GET", "/v1/profiles?limit=0", {}, (422, "invalid_request")),
        ("GET", "/v1/profiles?limit=1001", {}, (422, "invalid_request")),
        ("GET", f"/v1/profiles?limit={PLANTED}", {}, (422, "invalid_request")),
        ("GET", f"/v1/profiles?cursor={PLANTED}", {}, (400, "bad_cursor")),
        ("GET", "/v1/groups/nothing", {}, (404, "group_not_found")),
        ("POST", "/v1/keys", {"json": {}}, (422, "invalid_request")),
        ("POST", "/v1/keys", {"json": {"name": PLANTED, "scopes": PLANTED}}, (422, "invalid_request")),
        ("POST", "/v1/keys", {"json": {"name": PLANTED, "scopes": [PLANTED]}}, (400, "bad_request")),
        ("POST", "/v1/keys", {"json": {"name": "a\0b", "scopes": ["write"]}}, (400, "bad_request")),
        ("POST", "/v1/keys", {"content": b""}, (400, "empty_body")),
        ("POST", "/v1/keys", {"content": b"[]"}, (422, "invalid_request")),
        ("POST", "/v1/keys", {"content": b'{"name":"\\ud800"}'}, (400, "invalid_json")),
        ("POST", "/v1/keys", {"content": b" " * (BODY_LIMIT + 1)}, (413, "body_too_large")),
        ("POST", "/v1/keys", {"content": b"{}", "headers": {"Content-Encoding": "gzip"}}, UNENCODED),
        ("PUT", "/v1/rules", {"json": {"limits": PLANTED}}, (422, "bad_rules")),
        ("PUT", "/v1/rules", {"json": {PLANTED: 1}}, (422, "bad_rules")),
        ("PUT", "/v1/rules", {"json": [PLANTED]}, (422, "bad_rules")),
        ("PUT", "/v1/rules", {"content": PLANTED.encode()}, (400, "invalid_json")),
        ("DELETE", f"/v1/keys/{PLANTED}", {}, (404, "key_not_found")),
        ("POST", "/v1/profiles/unmerge", {"json": {"identifiers": [PLANTED]}}, (400, "bad_identifier")),
        ("POST", "/v1/profiles/lookup", {"json": {"identifiers": [{PLANTED: 1}]}}, (422, "invalid_request")),
        (
            "POST",
            "/v1/profiles/lookup",
            {"json": {"identifiers": ["user_id:u1"] * (MOST_LOOKED_UP + 1)}},
            (422, "invalid_request"),
        ),
    ],
)  # fmt: skip
def test_every_error_is_a_problem_document_without_content_of_the_request(
    common_shop: Shop, live: Running, method: str, path: str, given: dict[str, Any], code: tuple[int, str]
) -> None:
    """The same holds for its log line."""
    answer = common_shop.ask(method, path, **given)

    assert problem(answer) == code
    assert PLANTED not in answer.text
    assert PLANTED not in log_of(live).read_text()


@pytest.mark.parametrize(
    "path", ["/v1/rules", "/v1/profiles/user_id:nobody", "/v1/nothing", "/healthz", "/openapi.json"]
)
def test_no_answer_may_be_cached_or_sniffed(common_shop: Shop, path: str) -> None:
    """Every answer has the headers."""
    answer = common_shop.ask("GET", path)

    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_a_401_names_the_authentication_scheme(client: httpx.Client) -> None:
    """In its header."""
    assert client.get("/v1/rules").headers["www-authenticate"] == "Bearer"


def test_every_put_of_rules_is_a_new_version(shop: Shop) -> None:
    """Rules are replaced as a whole."""
    first = shop.ask("GET", "/v1/rules").json()

    assert shop.ask("PUT", "/v1/rules", json={"max_merges": 7}).json() == {
        "version": first["version"] + 1,
        "reset": [],
    }
    assert shop.ask("PUT", "/v1/rules", json={"max_merges": 8}).json() == {
        "version": first["version"] + 2,
        "reset": [],
    }
    assert shop.ask("GET", "/v1/rules").json() == {**first, "max_merges": 8, "version": first["version"] + 2}


def test_pages_of_the_list_hold_every_profile_once(shop: Shop) -> None:
    """Also with limits that do not divide their number."""
    made = {
        each["profile_id"]
        for each in shop.send(*({"type": "track", "event": "E", "userId": f"u{n}"} for n in range(7)))
    }
    found, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = shop.ask("GET", "/v1/profiles", params=params).json()
        found += [profile["profile_id"] for profile in page["profiles"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(found) == sorted(made)


def test_a_lookup_answers_each_identifier_as_it_was_written(shop: Shop) -> None:
    """With null where there is no profile."""
    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "ann@example.com"}})
    asked = ["user_id:u1", "EMAIL:Ann@Example.com", "user_id:nobody"]

    found = shop.ask("POST", "/v1/profiles/lookup", "profiles", json={"identifiers": asked}).json()["profiles"]

    assert list(found) == asked
    assert found["user_id:u1"] == found["EMAIL:Ann@Example.com"] != found["user_id:nobody"] is None


def test_the_history_lists_merges_newest_first_with_their_messages(shop: Shop) -> None:
    """Page by page."""
    shop.send(
        {"type": "track", "event": "E", "anonymousId": "a1"}, {"type": "identify", "userId": "u1", "messageId": "m1"}
    )
    shop.send({"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "m2"})

    whole = shop.ask("GET", "/v1/profiles/user_id:u1/history").json()["history"]
    first = shop.ask("GET", "/v1/profiles/anonymous_id:a1/history?limit=1").json()

    assert [line["message_id"] for line in whole if line["type"] == "merged"] == ["m2"]
    assert first["history"] == whole[:1]
    rest = shop.ask("GET", "/v1/profiles/user_id:u1/history", params={"cursor": first["next_cursor"]}).json()
    assert rest["history"] == whole[1:]


@pytest.mark.parametrize(("key", "noted"), [("profiles", 0), ("privacy", 1), ("admin", 1)])
def test_reads_by_employees_are_in_the_audit_log_with_the_profile(
    shop: Shop, rows: psycopg.Connection[Any], key: str, noted: int
) -> None:
    """Never with the identifier of the request."""
    profile_id = shop.send({"type": "track", "event": "E", "userId": PLANTED})[0]["profile_id"]
    shop.ask("GET", f"/v1/profiles/user_id:{PLANTED}", key)
    shop.ask("GET", f"/v1/profiles/prf_{PLANTED}", key)

    lines = rows.execute(
        f"SELECT actor, action, subject FROM {AUDIT} audit WHERE action = 'profile.read'".encode()
    ).fetchall()
    mine = [line for line in lines if line[2] == profile_id]
    assert len(mine) == noted
    assert PLANTED not in json.dumps(lines)
