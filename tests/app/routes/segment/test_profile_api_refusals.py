"""Requests that Segment's Profile API refuses, and what its answers must not reveal."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest

from tests.app.conftest import AUDIT, Shop, log_of
from tests.conftest import Running
from tests.support.http.segment_profile_api import LISTS, get, root

PLANTED = "ann.planted@example.com"


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, which has its shape and an id."""
    assert re.fullmatch(r"[0-9a-f]{16,}", answer.headers["request-id"])
    assert answer.headers["content-type"] == "application/json"
    assert "access-control-allow-origin" not in answer.headers
    document = answer.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"code", "message"}
    return answer.status_code, document["error"]["code"]


BAD_REFS = [
    "user_id:%", "user_id:%zz", "user_id:%ff", "user_id:%ed%a0%80", "user_id:%00", "a%00:b", "user_id:", "user_id",
    ":", ":x", "%20", "use_zz", "prf_1", "email:nonsense",
    "x" * 60 + ":v", "user_id:" + "x" * 5_000, "%C3%A9:v",
]  # fmt: skip
UNKNOWN_REFS = [
    "user_id:+", "user_id:%2B", "user_id:a%2Fb", "user_id:a;b", "user_id:%25", "user_id:%F0%9F%98%80", "user_id:a:b",
    "user_id:a%20b", "user_id:a%3Fb", "user_id:..", "user_id:'%22%3C", "use_" + "0" * 32, "prf_" + "0" * 32,
    "segment_id:", "phone_number:",
    "segment_id:use_" + "0" * 32, "segment_id:x", "phone_number:x", "use_case:x", "other_type:x",
]  # fmt: skip


@pytest.mark.parametrize("ref", BAD_REFS + UNKNOWN_REFS)
def test_an_odd_path_is_refused_or_finds_nothing(common_shop: Shop, live: Running, ref: str) -> None:
    """It is never an error of the server."""
    common_shop.send({"type": "track", "event": "E", "userId": "u1"})
    host, port = urlsplit(live.url).netloc.split(":")
    for what in LISTS:
        head = (
            f"GET {root(common_shop)}/{ref}/{what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        )
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(f"{head}{common_shop.keys['profiles']}\r\n\r\n".encode())
            answered = b"".join(iter(lambda: connection.recv(65_536), b""))
        start, _, content = answered.partition(b"\r\n\r\n")
        code = json.loads(content)["error"]["code"]

        assert b"request-id: " in start
        if ref in UNKNOWN_REFS:
            assert (start[9:12], code) == (b"404", "not_found")
        else:
            assert start[9:12] == b"400"
            assert code in ("validation_error", "invalid_request_error")


@pytest.mark.parametrize(
    "value", ["a/b", "a%b", "a%2Fb", "a+b", "a b", "ü/ö", "日本", "a?b#c", "%", "a\\b", "😀", "a:b"]
)
def test_any_value_is_found_by_its_percent_encoded_path(shop: Shop, value: str) -> None:
    """Whatever an identifier is made of, it is found by its percent-encoded path."""
    shop.send({"type": "track", "event": "E", "userId": value})

    found = get(shop, "external_ids", quote(f"user_id:{value}", safe=""))["data"]

    assert [each["id"] for each in found] == [value]


def test_a_plus_in_a_path_is_a_plus(shop: Shop) -> None:
    """A plus in a path is a plus."""
    shop.send({"type": "track", "event": "E", "userId": "a+b"})

    assert get(shop, "external_ids", "user_id:a+b")["data"][0]["id"] == "a+b"


@pytest.mark.parametrize(
    ("collection", "message"),
    [
        ("!", "The parameter `collection` has invalid character(s) `!`"),
        ("users%21", "The parameter `collection` has invalid character(s) `!`"),
        ("Users", "The parameter `collection` must be one of users, accounts."),
        (
            PLANTED.split("@", maxsplit=1)[0].replace(".", ""),
            "The parameter `collection` must be one of users, accounts.",
        ),
    ],
)
def test_an_unknown_collection_is_refused_in_the_words_of_segment(
    common_shop: Shop, collection: str, message: str
) -> None:
    """Any other collection is refused in Segment's words."""
    for path in ("", *(f"/user_id:u1/{what}" for what in LISTS)):
        answer = common_shop.ask("GET", root(common_shop, collection) + path)

        assert refused(answer) == (400, "validation_error")
        assert answer.json()["error"]["message"] == message


@pytest.mark.parametrize(
    "query",
    ["limit=abc", "limit=0", "limit=201", "limit=1e9", "limit=-1", "limit=", "limit=1&limit=2", "limit=%d9%a5",
     "limit=1_0", "limit=5.0", "limit=" + "9" * 40, "start=x", "start=2026-13-01", "end=0", "end=17e8", "sort=up",
     "class=trait", "verbose=maybe", "next=x", "next=%00", "next=%ff", "next=AAAA", "next=" + "A" * 20_000,
     "include=a&include=b"],
)  # fmt: skip
def test_an_invalid_parameter_is_named_without_its_value(common_shop: Shop, live: Running, query: str) -> None:
    """A parameter that is not usable is named without its value."""
    common_shop.send({"type": "group", "userId": "u1", "groupId": "g1"})
    for path in ("users/profiles/user_id:u1/events", "accounts/profiles/group_id:g1/events", "users/profiles"):
        answer = common_shop.ask("GET", f"/v1/spaces/{common_shop.space_id}/collections/{path}?{query}&x={PLANTED}")

        assert refused(answer) == (400, "validation_error")
        name = query.partition("=")[0]
        assert f"`{name}`" in answer.json()["error"]["message"] or name == "next"
        assert PLANTED not in answer.text + log_of(live).read_text()


def requests(shop: Shop) -> Iterator[str]:
    """A path of each call."""
    yield root(shop)
    yield from (f"{root(shop)}/user_id:u1/{what}" for what in LISTS)


def test_missing_and_wrong_keys_are_refused_in_this_shape(
    shop: Shop, client: httpx.Client, operator: dict[str, str]
) -> None:
    """401 without a key, 403 with a key that may only write."""
    shop.send({"type": "track", "event": "E", "userId": "u1"})
    for path in requests(shop):
        for headers in ({}, operator, {"Authorization": "Basic %%%"}, {"Authorization": "Bearer x"}):
            assert refused(client.get(path, headers=headers)) == (401, "authentication_error")
        for key in ("write", "import"):
            assert refused(shop.ask("GET", path, key)) == (403, "authentication_error")
        assert client.get(path, auth=(shop.keys["privacy"], "")).status_code == 200


def test_unknown_addresses_and_methods_are_refused_in_this_shape(shop: Shop) -> None:
    """What is no address or no method of this surface is refused in its shape, too."""
    for path in (
        f"{root(shop)}/user_id:u1",
        f"{root(shop)}/user_id:u1/nothing",
        f"{root(shop)}/a/b/c",
        root(shop)[:-9],
    ):
        assert refused(shop.ask("GET", path)) == (404, "not_found")
    for path in requests(shop):
        for method in ("POST", "DELETE", "OPTIONS"):
            assert refused(shop.ask(method, path)) == (405, "invalid_request_error")
    encoded = shop.ask("GET", f"{root(shop)}/user_id:u1/traits", headers={"Content-Encoding": "br"}, content=b"x")
    assert refused(encoded) == (415, "invalid_request_error")


def test_a_profile_of_another_space_answers_as_an_unknown_one(shop: Shop, other_shop: Shop) -> None:
    """A profile of another space and one that is not there answer alike."""
    profile_id = other_shop.send({"type": "track", "event": "E", "userId": "u1"})[0]["profile_id"]
    for what in LISTS:
        answers = [
            shop.ask("GET", f"{base}/{ref}/{what}", "profiles")
            for base, ref in (
                (root(shop), "user_id:u1"),
                (root(shop), profile_id),
                (root(other_shop), "user_id:u1"),
                (root(other_shop), profile_id),
                ("/v1/spaces/spc_0/collections/users/profiles", "user_id:u1"),
            )
        ]
        assert {answer.text for answer in answers} == {
            '{"error":{"code":"not_found","message":"Profile was not found."}}'
        }
        assert all(refused(answer) == (404, "not_found") for answer in answers)
        assert len({answer.headers["request-id"] for answer in answers}) == len(answers)
    assert refused(shop.ask("GET", root(other_shop))) == (404, "not_found")


@pytest.mark.parametrize(("key", "noted"), [("profiles", 0), ("privacy", 1), ("admin", 1)])
def test_reads_by_employees_are_in_the_audit_log_with_the_profile(
    shop: Shop, rows: psycopg.Connection[Any], key: str, noted: int
) -> None:
    """Never with the identifier of the request."""
    profile_id = shop.send({"type": "track", "event": "E", "userId": PLANTED})[0]["profile_id"]
    for what in LISTS:
        get(shop, what, f"user_id:{PLANTED}", key)
        shop.ask("GET", f"{root(shop)}/user_id:no-{PLANTED}/{what}", key)

    lines = rows.execute(
        f"SELECT action, subject FROM {AUDIT} audit WHERE action LIKE 'profile_api.%'".encode()
    ).fetchall()
    assert len([line for line in lines if line[1] == profile_id]) == noted * len(LISTS)
    assert PLANTED not in json.dumps(lines)
