"""Where SDKs put their key, and what a wrong one is answered."""

from typing import Any

import httpx
import pytest

from tests.app.conftest import Shop
from tests.support.http.collection_answers import read, refused


def test_keys_in_all_places(shop: Shop) -> None:
    """A key is taken from either header, from the body, and from its first item."""
    key = shop.keys["write"]
    track = {"type": "track", "event": "E", "userId": "u1"}
    post = shop.client.post

    assert [
        post("/v1/track", json=track, auth=(key, "")).status_code,
        post("/v1/track", json=track, headers={"Authorization": f"Bearer {key}"}).status_code,
        post("/v1/track", json={**track, "writeKey": key}).status_code,
        post("/v1/batch", json={"batch": [track], "writeKey": key}).status_code,
        post("/v1/batch", json={"batch": [{**track, "writeKey": key}]}).status_code,
        post("/v1/track", json={**track, "writeKey": key}, headers={"Authorization": "Bearer token"}).status_code,
    ] == [200] * 6
    assert read(shop, "user_id:u1").json()["event_count"] == 6


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"json": {"userId": "u1", "writeKey": "nonsense"}},
        {"json": {"userId": "u1", "writeKey": 7}},
        {"auth": ("nonsense", "")},
        {"headers": {"Authorization": "Bearer of_aaaaaaaaaaaa_" + "0" * 64 + "_00000000"}},
    ],
)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_unknown_key(client: httpx.Client, path: str, given: dict[str, Any]) -> None:
    """A key that is not known is refused with a code of its own."""
    given = {"json": {"batch": [{"type": "track", "event": "E"}]}, **given}

    assert refused(client.post(path, **given)) == (401, "invalid_write_key")


def test_header_comes_first(shop: Shop) -> None:
    """An unknown key in the header is not saved by one in the body."""
    answer = shop.client.post(
        "/v1/track", json={"event": "E", "userId": "u", "writeKey": shop.keys["write"]}, auth=("of_x", "")
    )

    assert refused(answer) == (401, "invalid_write_key")


def test_wrong_scope(shop: Shop) -> None:
    """A key that only reads collects nothing."""
    assert refused(shop.ask("POST", "/v1/track", "profiles", json={"event": "E", "userId": "u1"})) == (403, "forbidden")
