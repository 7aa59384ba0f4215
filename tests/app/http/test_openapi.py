"""The OpenAPI document holds every route, and answers have the shapes it names."""

import functools
import re
from typing import Any

import httpx
import msgspec
import pytest

from app.http import ingest_endpoint
from app.http.openapi import document, native
from app.main import create_app
from app.schemas import api_keys, problems, rules
from app.schemas.groups import GroupAnswer
from app.schemas.profiles import CanonicalProfile, HistoryPage, IdentifierList, ProfileList
from app.schemas.rejections import RejectionPage
from app.settings import Settings
from tests.app.conftest import Shop
from tests.support.http.api_contract import ApiContract, api_contract


def references(value: Any) -> set[str]:
    """Every schema that a document points to."""
    if isinstance(value, dict):
        found = {value["$ref"]} if "$ref" in value else set()
        return found.union(*(references(item) for item in value.values()))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def test_every_route_is_in_the_document() -> None:
    """Native and hot routes are in one document, and nothing it points to is missing."""
    api = create_app(Settings()).api
    made = document(api)
    wanted = {
        (route.path, method.lower())
        for route in native(api)
        if route.include_in_schema
        for method in route.methods or ()
    }
    wanted |= {(route.template, "post") for route in ingest_endpoint.ROUTES.values()}

    assert {(path, method) for path, each in made["paths"].items() for method in each} == wanted
    assert {name.removeprefix("#/components/schemas/") for name in references(made)} <= set(
        made["components"]["schemas"]
    )


def test_no_two_operations_share_a_name() -> None:
    """No two operations share a name."""
    made = document(create_app(Settings()).api)
    names = [operation["operationId"] for each in made["paths"].values() for operation in each.values()]

    assert len(names) == len(set(names))


def test_the_document_is_served_without_a_key(client: httpx.Client) -> None:
    """At /openapi.json."""
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    ("method", "path", "status", "media_type", "body", "fault"),
    [
        ("GET", "/healthz", 200, "application/json", {"status": "ok"}, None),
        ("GET", "/healthz", 200, "application/json", {"status": "ok", "load": 1}, "load"),
        ("GET", "/healthz", 200, "application/json", {}, "status"),
        ("GET", "/healthz", 200, "text/plain", {"status": "ok"}, "text/plain"),
        ("GET", "/healthz", 201, "application/json", {"status": "ok"}, "201"),
        ("GET", "/v1/keys", 200, "application/json", {"keys": [{"key_id": "k"}], "next_cursor": None}, "keys/0"),
        ("GET", "/v1/unknown", 200, "application/json", {}, "no route is documented"),
        ("GET", "/v1/unknown", 404, "application/problem+json", {}, None),
        ("POST", "/v1/t", 200, "application/json", {"success": True}, None),
        ("POST", "/v1/t", 200, "application/json", {"success": False}, "success"),
    ],
)
def test_an_answer_that_is_not_documented_is_caught(
    method: str, path: str, status: int, media_type: str, body: object, fault: str | None
) -> None:
    """An unknown field or status, a missing field, another media type: each has a fault."""
    check = functools.partial(api_contract().check, method, path, status, media_type, msgspec.json.encode(body))
    if fault is None:
        check()
    else:
        with pytest.raises(AssertionError, match=re.escape(fault)):
            check()


def test_the_shared_client_checks_every_answer(client: httpx.Client) -> None:
    """A document that knows no route makes the client of the tests fail."""
    empty = ApiContract({"paths": {}, "components": {"schemas": {}}})
    strict = httpx.Client(base_url=client.base_url, event_hooks={"response": [empty.hook]}, timeout=60)
    with strict, pytest.raises(AssertionError, match="no route is documented"):
        strict.get("/healthz")
    assert api_contract().hook in client.event_hooks["response"]


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/profiles", ProfileList),
        ("/v1/profiles/user_id:u1", CanonicalProfile),
        ("/v1/profiles/user_id:u1?verbose=true", CanonicalProfile),
        ("/v1/profiles/user_id:u1/identifiers", IdentifierList),
        ("/v1/profiles/user_id:u1/history", HistoryPage),
        ("/v1/profiles/user_id:nobody", problems.Problem),
        ("/v1/groups/g1", GroupAnswer),
        ("/v1/rejections", RejectionPage),
        ("/v1/keys", api_keys.KeyList),
        ("/v1/rules", rules.RulesInForce),
    ],
)
def test_answers_decode_as_the_shapes_of_the_document(common_shop: Shop, path: str, shape: type) -> None:
    """What is answered can be read as what the document says."""
    consent = {"consent": {"categoryPreferences": {"Marketing": True}}}
    common_shop.send(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}, "context": consent},
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"size": 1}},
    )
    answer = common_shop.ask("GET", path)

    read: msgspec.Struct = msgspec.json.decode(answer.content, type=shape)

    assert set(answer.json()) <= set(read.__struct_fields__)
