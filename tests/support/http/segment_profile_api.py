"""Requests to Segment's Profile API, with its lists and refusals."""

from typing import Any

from tests.app.conftest import Shop

LISTS = ("traits", "external_ids", "events", "metadata", "links")


def root(shop: Shop, collection: str = "users") -> str:
    """The path of the profiles of a collection."""
    return f"/v1/spaces/{shop.space_id}/collections/{collection}/profiles"


def get(shop: Shop, what: str, ref: str = "user_id:u1", key: str = "profiles", **params: Any) -> Any:
    """The document that a call answers."""
    answer = shop.ask("GET", f"{root(shop)}/{ref}/{what}", key, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()
