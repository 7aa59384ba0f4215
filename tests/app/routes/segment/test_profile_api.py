"""Segment's Profile API, call by call: whole documents, its errors, and what it must not reveal."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import psycopg
import pytest

from app.schemas.segment import profile_api
from tests.app.conftest import AUDIT, Shop, log_of
from tests.conftest import Running

PLANTED = "ann.planted@example.com"
AT = "2026-01-0{}T12:00:00.000Z"
LISTS = ("traits", "external_ids", "events", "metadata", "links")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def root(shop: Shop, collection: str = "users") -> str:
    """The path of the profiles of a collection."""
    return f"/v1/spaces/{shop.space_id}/collections/{collection}/profiles"


def get(shop: Shop, what: str, ref: str = "user_id:u1", key: str = "profiles", **params: Any) -> Any:
    """The document that a call answers."""
    answer = shop.ask("GET", f"{root(shop)}/{ref}/{what}", key, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, which has its shape and an id."""
    assert re.fullmatch(r"[0-9a-f]{16,}", answer.headers["request-id"])
    assert answer.headers["content-type"] == "application/json"
    assert "access-control-allow-origin" not in answer.headers
    document = answer.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"code", "message"}
    return answer.status_code, document["error"]["code"]


def key_id(shop: Shop, name: str) -> str:
    """The public id of a key, which is the source of what it sends."""
    keys = shop.ask("GET", "/v1/keys").json()["keys"]
    return next(str(key["key_id"]) for key in keys if key["name"] == name)


def cursor(shop: Shop, id_: str, what: str, limit: int) -> dict[str, Any]:
    """The cursor at the end of a list."""
    return {"url": f"{root(shop)}/{id_}/{what}", "has_more": False, "next": "", "limit": limit}


@pytest.fixture
def ann(shop: Shop) -> str:
    """Somebody known by three calls of two keys; returns the id of the profile."""
    first = {
        "type": "identify",
        "userId": "u1",
        "messageId": "m1",
        "timestamp": AT.format(1),
        "traits": {"first_name": "Bob", "n": 33, "email": "Bob@Example.com", "gone": 1},
        "context": {"ip": "10.0.0.1"},
    }
    second = {
        "type": "track",
        "userId": "u1",
        "anonymousId": "a1",
        "messageId": "m2",
        "timestamp": AT.format(2),
        "event": "Page Viewed",
        "properties": {"path": "/x"},
    }
    third = {"type": "identify", "userId": "u1", "messageId": "m3", "timestamp": AT.format(3), "traits": {"gone": None}}
    plain = {"type": "page", "anonymousId": "a1", "messageId": "m4", "timestamp": AT.format(4), "name": "Home"}
    made = shop.send(first)
    shop.send(second, third, key="admin")
    shop.send({**plain, "category": "C", "properties": {"n": 1}})
    return str(made[0]["profile_id"])


def test_traits_come_by_name_without_removed_ones(shop: Shop, ann: str) -> None:
    """Traits by name; what was removed is not there."""
    traits = {"email": "Bob@Example.com", "first_name": "Bob", "n": 33}

    assert get(shop, "traits") == {"traits": traits, "cursor": cursor(shop, ann, "traits", 10)}
    assert list(get(shop, "traits")["traits"]) == sorted(traits)
    assert get(shop, "traits", include="n,gone,other")["traits"] == {"n": 33}
    for computed in ("audience", "computed_trait"):
        document = get(shop, "traits", **{"class": computed})
        assert document == {"traits": {}, "cursor": cursor(shop, ann, "traits", 10)}


def test_verbose_traits_name_their_key_and_time(shop: Shop, ann: str) -> None:
    """Also when the key is revoked."""
    source = key_id(shop, "import")
    assert shop.ask("DELETE", f"/v1/keys/{source}").status_code == 204

    assert get(shop, "traits", verbose="true", limit=2, include="n,first_name") == {
        "traits": {
            "first_name": {"value": "Bob", "source_id": source, "updated_at": AT.format(1)},
            "n": {"value": 33, "source_id": source, "updated_at": AT.format(1)},
        },
        "cursor": cursor(shop, ann, "traits", 2),
    }


def test_external_ids_come_in_the_order_of_linking(shop: Shop, ann: str) -> None:
    """Each with the call that linked it."""
    document = get(shop, "external_ids")
    made = [each.pop("created_at") for each in document["data"]]

    def one(type_: str, id_: str, source: str, message: str) -> dict[str, Any]:
        shown = {"collection": "users", "encoding": "none", "source_id": key_id(shop, source)}
        return {**shown, "type": type_, "id": id_, "first_message_id": message}

    ids = [
        one("user_id", "u1", "import", "m1"),
        one("email", "bob@example.com", "import", "m1"),
        one("anonymous_id", "a1", "admin", "m2"),
    ]
    assert document == {"data": ids, "cursor": cursor(shop, ann, "external_ids", 25)}
    assert all(TIME.fullmatch(at) for at in made)
    assert made == sorted(made)
    some = get(shop, "external_ids", include="email,anonymous_id,nothing")["data"]
    assert [each["type"] for each in some] == ["email", "anonymous_id"]


def test_events_come_newest_first_with_their_identifiers(shop: Shop, ann: str) -> None:
    """Evidence and other events alike."""
    user, anonymous = (
        {"collection": "users", "type": type_, "id": id_, "encoding": "none"}
        for type_, id_ in (("user_id", "u1"), ("anonymous_id", "a1"))
    )
    email = {**user, "type": "email", "id": "bob@example.com"}
    known, late = key_id(shop, "import"), key_id(shop, "admin")

    def one(nr: int, type_: str, ids: list[Any], source: str, properties: Any, **more: Any) -> dict[str, Any]:
        shown = {"type": type_, "external_ids": ids, "source_id": source, "properties": properties, "context": {}}
        return {"message_id": f"m{nr}", "timestamp": AT.format(nr), "related": {"users": ann}, **shown, **more}

    traits = {"first_name": "Bob", "n": 33, "email": "Bob@Example.com", "gone": 1}
    wanted = [
        one(4, "page", [anonymous], known, {"n": 1}, name="Home", category="C"),
        one(3, "identify", [user], late, {"gone": None}),
        one(2, "track", [user, anonymous], late, {"path": "/x"}, event="Page Viewed"),
        one(1, "identify", [user, email], known, traits, context={"ip": "10.0.0.1"}),
    ]
    assert get(shop, "events") == {"data": wanted, "cursor": cursor(shop, ann, "events", 100)}
    assert get(shop, "events", sort="asc")["data"] == wanted[::-1]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"start": AT.format(2)}, ["m4", "m3", "m2"]),
        ({"end": AT.format(2)}, ["m1"]),
        ({"start": AT.format(2), "end": AT.format(4), "sort": "asc"}, ["m2", "m3"]),
        ({"start": "2026-01-02T13:00:00+01:00", "end": "2026-01-03"}, ["m2"]),
        ({"include": "Page Viewed"}, ["m2"]),
        ({"exclude": "Page Viewed"}, ["m4", "m3", "m1"]),
        ({"include": "Page Viewed,Other", "exclude": "Page Viewed"}, []),
        ({"start": "0001-01-01"}, ["m4", "m3", "m2", "m1"]),
        ({"start": "1500-01-01", "sort": "asc"}, ["m1", "m2", "m3", "m4"]),
        ({"start": "9999-12-31T00:00:00Z"}, []),
        ({"start": "9999-12-31T00:00:00Z", "sort": "asc"}, []),
        ({"end": "0001-01-01"}, []),
    ],
)
def test_events_are_filtered_by_time_and_name(shop: Shop, ann: str, params: dict[str, str], found: list[str]) -> None:
    """`start` is inclusive, `end` is not; the times are those of the events."""
    assert ann
    assert [event["message_id"] for event in get(shop, "events", **params)["data"]] == found


def test_metadata_has_times_and_the_first_and_last_call(shop: Shop, ann: str) -> None:
    """When it came to be and when it last changed, and its first and last calls."""
    metadata = get(shop, "metadata")
    native = shop.ask("GET", f"/v1/profiles/{ann}").json()

    assert metadata == {
        "metadata": {
            "created_at": native["created_at"],
            "updated_at": native["updated_at"],
            "expires_at": None,
            "first_message_id": "m1",
            "first_source_id": key_id(shop, "import"),
            "last_message_id": "m4",
            "last_source_id": key_id(shop, "import"),
        }
    }


def test_the_list_has_each_profile_once_while_two_merge(shop: Shop, ann: str) -> None:
    """However many ids a profile has."""
    assert ann
    shop.send(*({"type": "track", "anonymousId": f"b{n}"} for n in range(6)))
    shop.send({"type": "identify", "userId": "u2", "anonymousId": "b0"}, {"type": "track", "userId": "u2"})
    whole = shop.ask("GET", root(shop)).json()
    first = shop.ask("GET", root(shop), params={"limit": 3}).json()
    ids = [each["segment_id"] for each in whole["data"]]
    assert set(whole["data"][0]) == {"segment_id", "created_at", "updated_at"}
    assert whole["cursor"] == {"url": root(shop), "has_more": False, "next": "", "limit": 100}
    assert (len(ids), ids) == (7, sorted(ids))
    assert first["data"] == whole["data"][:3]
    assert first["cursor"]["has_more"]

    shop.send(*({"type": "identify", "userId": "u3", "anonymousId": f"b{n}"} for n in (1, 5)))
    second = shop.ask("GET", root(shop), params={"next": first["cursor"]["next"]}).json()
    rest = [each["segment_id"] for each in second["data"]]

    left = {each["profile_id"] for each in shop.ask("GET", "/v1/profiles").json()["profiles"]}
    assert set(rest).isdisjoint(ids[:3])
    assert set(rest) == set(ids[3:]) & left


@pytest.mark.parametrize("what", LISTS)
def test_every_id_of_a_profile_gives_the_same_answer(shop: Shop, ann: str, what: str) -> None:
    """Former ids included."""
    other = shop.send({"type": "track", "anonymousId": "b1"})[0]["profile_id"]
    shop.send(
        {"type": "identify", "userId": "u1", "anonymousId": "b1", "context": {"traits": {"phone": "+14155550123"}}}
    )
    refs = [
        ann,
        other,
        f"use_{ann[4:]}",
        f"segment_id:{ann}",
        f"segment_id:use_{other[4:]}",
        "anonymous_id:b1",
        "user_id%3Au1",
        "email:BOB%40example.com",
        "phone:+14155550123",
        "phone:%2B14155550123",
        "phone_number:%2B14155550123",
    ]

    documents = [get(shop, what, ref) for ref in refs]

    assert all(document == documents[0] for document in documents)


def test_identifier_that_is_not_there(shop: Shop) -> None:
    """An event names only what its profile has: what it was refused belongs to somebody else."""
    shop.send(*({"type": "track", "userId": user, "anonymousId": "a1", "messageId": user} for user in ("u1", "u2")))
    shop.send({"type": "track", "userId": "u2", "anonymousId": "a1", "messageId": "plain", "event": "e"})

    for event in get(shop, "events", "user_id:u2")["data"]:
        assert [(each["type"], each["id"]) for each in event["external_ids"]] == [("user_id", "u2")]


@pytest.mark.parametrize("length", [300, 9_000, 30_000])
def test_a_list_continues_after_a_long_trait_name(shop: Shop, length: int) -> None:
    """The cursor does not contain the name."""
    names = ["a" * length, "b", "c"]
    shop.send({"type": "identify", "userId": "u1", "traits": dict.fromkeys(names, 1)})

    first = get(shop, "traits", limit=1)
    assert list(first["traits"]) == names[:1]
    assert len(first["cursor"]["next"]) < 100
    assert list(get(shop, "traits", next=first["cursor"]["next"])["traits"]) == names[1:]


BAD_REFS = [
    "user_id:%", "user_id:%zz", "user_id:%ff", "user_id:%ed%a0%80", "user_id:%00", "a%00:b", "user_id:", "user_id",
    ":", ":x", "%20", "use_zz", "prf_1", "segment_id:", "segment_id:x", "phone_number:", "email:nonsense",
    "x" * 60 + ":v", "user_id:" + "x" * 5_000, "%C3%A9:v",
]  # fmt: skip
UNKNOWN_REFS = [
    "user_id:+", "user_id:%2B", "user_id:a%2Fb", "user_id:a;b", "user_id:%25", "user_id:%F0%9F%98%80", "user_id:a:b",
    "user_id:a%20b", "user_id:a%3Fb", "user_id:..", "user_id:'%22%3C", "use_" + "0" * 32, "prf_" + "0" * 32,
    "segment_id:use_" + "0" * 32, "other_type:x",
]  # fmt: skip


@pytest.mark.parametrize("ref", BAD_REFS + UNKNOWN_REFS)
def test_an_odd_path_is_refused_or_finds_nothing(shop: Shop, live: Running, ref: str) -> None:
    """It is never an error of the server."""
    shop.send({"type": "track", "userId": "u1"})
    host, port = urlsplit(live.url).netloc.split(":")
    for what in LISTS:
        head = f"GET {root(shop)}/{ref}/{what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(f"{head}{shop.keys['profiles']}\r\n\r\n".encode())
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
    shop.send({"type": "track", "userId": value})

    found = get(shop, "external_ids", quote(f"user_id:{value}", safe=""))["data"]

    assert [each["id"] for each in found] == [value]


def test_a_plus_in_a_path_is_a_plus(shop: Shop) -> None:
    """A plus in a path is a plus."""
    shop.send({"type": "track", "userId": "a+b"})

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
def test_an_unknown_collection_is_refused_in_the_words_of_segment(shop: Shop, collection: str, message: str) -> None:
    """Any other collection is refused in Segment's words."""
    for path in ("", *(f"/user_id:u1/{what}" for what in LISTS)):
        answer = shop.ask("GET", root(shop, collection) + path)

        assert refused(answer) == (400, "validation_error")
        assert answer.json()["error"]["message"] == message


@pytest.mark.parametrize(
    "query",
    ["limit=abc", "limit=0", "limit=201", "limit=1e9", "limit=-1", "limit=", "limit=1&limit=2", "limit=%d9%a5",
     "limit=1_0", "limit=5.0", "limit=" + "9" * 40, "start=x", "start=2026-13-01", "end=0", "end=17e8", "sort=up",
     "class=trait", "verbose=maybe", "next=x", "next=%00", "next=%ff", "next=AAAA", "next=" + "A" * 20_000,
     "include=a&include=b"],
)  # fmt: skip
def test_an_invalid_parameter_is_named_without_its_value(shop: Shop, live: Running, query: str) -> None:
    """A parameter that is not usable is named without its value."""
    shop.send({"type": "group", "userId": "u1", "groupId": "g1"})
    for path in ("users/profiles/user_id:u1/events", "accounts/profiles/group_id:g1/events", "users/profiles"):
        answer = shop.ask("GET", f"/v1/spaces/{shop.space_id}/collections/{path}?{query}&x={PLANTED}")

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
    shop.send({"type": "track", "userId": "u1"})
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
    profile_id = other_shop.send({"type": "track", "userId": "u1"})[0]["profile_id"]
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
    profile_id = shop.send({"type": "track", "userId": PLANTED})[0]["profile_id"]
    for what in LISTS:
        get(shop, what, f"user_id:{PLANTED}", key)
        shop.ask("GET", f"{root(shop)}/user_id:no-{PLANTED}/{what}", key)

    lines = rows.execute(
        f"SELECT action, subject FROM {AUDIT} audit WHERE action LIKE 'profile_api.%'".encode()
    ).fetchall()
    assert len([line for line in lines if line[1] == profile_id]) == noted * len(LISTS)
    assert PLANTED not in json.dumps(lines)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("", profile_api.ApiProfiles),
        ("/user_id:u1/traits", profile_api.ApiTraits),
        ("/user_id:u1/traits?verbose=true", profile_api.ApiTraits),
        ("/user_id:u1/external_ids", profile_api.ApiExternalIds),
        ("/user_id:u1/events", profile_api.ApiEvents),
        ("/user_id:u1/metadata", profile_api.ApiMetadata),
        ("/user_id:u1/links", profile_api.ApiLinks),
        ("/user_id:nobody/traits", profile_api.ApiError),
    ],
)
def test_answers_decode_as_the_shapes_of_the_document(shop: Shop, ann: str, path: str, shape: type) -> None:
    """What is answered can be read as what the OpenAPI document says."""
    assert ann
    answer = shop.ask("GET", root(shop) + path)

    read: msgspec.Struct = msgspec.json.decode(answer.content, type=shape)

    assert set(answer.json()) <= set(read.__struct_fields__)
