"""The OpenAPI document holds every route, and answers have the shapes it names."""

from typing import Any

import httpx
import msgspec
import pytest

from app.http import ingest_endpoint
from app.http.openapi import document, native
from app.main import create_app
from app.schemas import native as schemas
from app.schemas import rejections
from app.settings import Settings
from tests.app.conftest import Shop


def references(value: Any) -> set[str]:
    """Every schema that a document points to."""
    if isinstance(value, dict):
        found = {value["$ref"]} if "$ref" in value else set()
        return found.union(*(references(item) for item in value.values()))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def test_all_routes() -> None:
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


def test_operations_have_names() -> None:
    """No two operations share a name."""
    made = document(create_app(Settings()).api)
    names = [operation["operationId"] for each in made["paths"].values() for operation in each.values()]

    assert len(names) == len(set(names))


def test_served(client: httpx.Client) -> None:
    """The document is served; pages made from it are not."""
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/profiles", schemas.ProfilePage),
        ("/v1/profiles/user_id:u1", schemas.Profile),
        ("/v1/profiles/user_id:u1?verbose=true", schemas.Profile),
        ("/v1/profiles/user_id:u1/history", schemas.HistoryPage),
        ("/v1/profiles/user_id:nobody", schemas.Problem),
        ("/v1/groups/g1", schemas.Group),
        ("/v1/rejections", rejections.RejectionPage),
        ("/v1/keys", schemas.KeyList),
        ("/v1/rules", schemas.RulesInForce),
    ],
)
def test_shapes(shop: Shop, path: str, shape: type) -> None:
    """What is answered can be read as what the document says."""
    consent = {"consent": {"categoryPreferences": {"Marketing": True}}}
    shop.send(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}, "context": consent},
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"size": 1}},
    )
    answer = shop.ask("GET", path)

    read: msgspec.Struct = msgspec.json.decode(answer.content, type=shape)

    assert set(answer.json()) <= set(read.__struct_fields__)
