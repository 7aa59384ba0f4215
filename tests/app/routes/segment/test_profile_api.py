"""Segment's Profile API, call by call: whole documents, its errors, and what it must not reveal."""

import re
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from app.schemas.segment import profile_api
from tests.app.conftest import Shop
from tests.support.http.segment_profile_api import LISTS, get, root

AT = "2026-01-0{}T12:00:00.000Z"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


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
    return send_ann(shop)


@pytest.fixture(scope="module")
def common_ann(common_shop: Shop) -> str:
    """The same for the tests that only read."""
    return send_ann(common_shop)


def send_ann(shop: Shop) -> str:
    """Send the calls; returns the id of the profile."""
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
def test_events_are_filtered_by_time_and_name(
    common_shop: Shop, common_ann: str, params: dict[str, str], found: list[str]
) -> None:
    """`start` is inclusive, `end` is not; the times are those of the events."""
    assert common_ann
    assert [event["message_id"] for event in get(common_shop, "events", **params)["data"]] == found


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
    shop.send(*({"type": "track", "event": "E", "anonymousId": f"b{n}"} for n in range(6)))
    shop.send(
        {"type": "identify", "userId": "u2", "anonymousId": "b0"}, {"type": "track", "event": "E", "userId": "u2"}
    )
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


@pytest.mark.parametrize(
    ("type_", "value"),
    [("phone_number", "+15555550123"), ("segment_id", "abc"), ("segment_id", "use_1"), ("use_case", "x")],
)
def test_an_identifier_is_found_by_the_name_that_the_lists_show(shop: Shop, type_: str, value: str) -> None:
    """Also where the name of its type is one of Segment's own, or begins like one of its ids."""
    external = {"id": value, "type": type_, "collection": "users", "encoding": "none"}
    shop.send({"type": "track", "event": "E", "userId": "u1", "context": {"externalIds": [external]}})
    listed = [(each["type"], each["id"]) for each in get(shop, "external_ids", "user_id:u1")["data"]]

    assert (type_, value) in listed
    assert get(shop, "metadata", f"{type_}:{quote(value)}") == get(shop, "metadata", "user_id:u1")


@pytest.mark.parametrize("what", LISTS)
def test_every_id_of_a_profile_gives_the_same_answer(shop: Shop, ann: str, what: str) -> None:
    """Former ids included."""
    other = shop.send({"type": "track", "event": "E", "anonymousId": "b1"})[0]["profile_id"]
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
    shop.send(
        *(
            {"type": "track", "event": "E", "userId": user, "anonymousId": "a1", "messageId": user}
            for user in ("u1", "u2")
        )
    )
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
def test_answers_decode_as_the_shapes_of_the_document(
    common_shop: Shop, common_ann: str, path: str, shape: type
) -> None:
    """What is answered can be read as what the OpenAPI document says."""
    assert common_ann
    answer = common_shop.ask("GET", root(common_shop) + path)

    read: msgspec.Struct = msgspec.json.decode(answer.content, type=shape)

    assert set(answer.json()) <= set(read.__struct_fields__)
