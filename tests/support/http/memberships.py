"""Joining and leaving a group over HTTP."""

from typing import Any

from tests.app.conftest import Shop


def join(shop: Shop, user: str, group: str = "acme", **more: Any) -> dict[str, Any]:
    """A group call."""
    return shop.send({"type": "group", "userId": user, "groupId": group, **more})[0]


def leave(shop: Shop, ref: str, group: str = "acme", key: str = "admin") -> Any:
    """Takes a member out."""
    return shop.ask("DELETE", f"/v1/groups/{group}/members/{ref}", key)


def api(shop: Shop, place: str, **params: str) -> Any:
    """An answer of the Profile API."""
    answer = shop.ask("GET", f"/v1/spaces/{shop.space_id}/collections/{place}", "profiles", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def linked(page: Any) -> list[str]:
    """The user ids and devices on a page of links."""
    return [id_["id"] for each in page["data"] for id_ in each["external_ids"]]
