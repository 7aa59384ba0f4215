"""Nothing about another space: its ids are unknown ones, and its keys open nothing here."""

import re

import pytest

from identity.operations.spaces.manage_spaces import FIRST_KEYS
from tests.app.conftest import Shop
from tests.conftest import Running
from tests.support.http.route_scopes import (
    KEYED,
    body_of,
    fill,
)


@pytest.mark.parametrize(("method", "path", "scopes"), [keyed for keyed in KEYED if "{" in keyed[1]], ids=str)
def test_foreign_is_unknown(
    common_shop: Shop, other_common_shop: Shop, method: str, path: str, scopes: tuple[str, ...]
) -> None:
    """What belongs to another space answers, to every key, exactly as what does not exist."""
    call = {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"plan": "x"}}
    profile_id = other_common_shop.send(call)[0]["profile_id"]
    key_id = other_common_shop.ask("GET", "/v1/keys").json()["keys"][0]["key_id"]
    assert scopes
    foreign = [
        # An identifier is never written as the id of a profile.
        *([] if "/identifiers/" in path else [{"ref": profile_id}]),
        {"ref": "user_id:u1"},
        {"key_id": key_id},
        {"group_id": "g1"},
        {"space_id": other_common_shop.space_id, "ref": "user_id:u1"},
    ]
    for parts in foreign:
        if not any(f"{{{name}}}" in path for name in parts):
            continue
        for name in FIRST_KEYS:
            mine = common_shop.ask(method, fill(path, **parts), name)
            nobody = common_shop.ask(method, fill(path), name)

            assert (mine.status_code, mine.content) == (nobody.status_code, nobody.content)
    assert len(other_common_shop.ask("GET", "/v1/keys").json()["keys"]) == len(FIRST_KEYS)


def test_foreign_in_lists(shop: Shop, other_shop: Shop) -> None:
    """Lists and look-ups hold nothing of another space, and its cursors mean nothing here."""
    other_shop.send(*({"type": "track", "event": "E", "userId": f"u{number}"} for number in range(3)))
    cursor = other_shop.ask("GET", "/v1/profiles?limit=1").json()["next_cursor"]

    assert shop.ask("GET", "/v1/profiles").json() == {"profiles": [], "next_cursor": None}
    found = shop.ask("POST", "/v1/profiles/lookup", json={"identifiers": ["user_id:u1"]})
    assert found.json() == {"profiles": {"user_id:u1": None}, "errors": []}
    assert shop.ask("GET", "/v1/profiles", params={"cursor": cursor}).json()["code"] == "bad_cursor"


def test_deleted_space(shop: Shop, operator: dict[str, str]) -> None:
    """With a space its keys end, on every route."""
    gone = shop.client.delete(f"/v1/spaces/{shop.space_id}", params={"confirm": shop.name}, headers=operator)

    assert gone.status_code == 204
    for method, path, _ in KEYED:
        assert shop.ask(method, fill(path), json=body_of(path)).status_code == 401
    listed = shop.client.get("/v1/spaces", headers=operator).json()["spaces"]
    assert shop.space_id not in {space["space_id"] for space in listed}


def test_delete_asks_for_the_name(shop: Shop, operator: dict[str, str]) -> None:
    """A space is only deleted by its exact name."""
    for confirm in ({}, {"confirm": ""}, {"confirm": shop.name + "x"}):
        answer = shop.client.delete(f"/v1/spaces/{shop.space_id}", params=confirm, headers=operator)

        assert (answer.status_code, answer.json()["code"]) == (400, "not_confirmed")
    assert shop.ask("GET", "/v1/rules").status_code == 200


def test_new_key(shop: Shop) -> None:
    """A key that was made opens what its scopes say, until it is revoked."""
    made = shop.ask("POST", "/v1/keys", json={"name": "reader", "scopes": ["profiles:read"]}).json()
    shop.keys["reader"] = made["secret"]

    assert shop.ask("GET", "/v1/profiles/user_id:u1", "reader").status_code == 404
    assert shop.ask("GET", "/v1/rules", "reader").status_code == 403
    assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").status_code == 204
    assert shop.ask("GET", "/v1/profiles/user_id:u1", "reader").status_code == 401
    assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").json()["code"] == "key_not_found"


def test_secret_is_shown_once(shop: Shop) -> None:
    """The list of keys holds no secret."""
    listed = shop.ask("GET", "/v1/keys").text

    assert not re.search(r"of_[a-z0-9]+_", listed)
    assert all(secret not in listed for secret in shop.keys.values())


def test_no_space_is_the_same(shop: Shop, other_shop: Shop, live: Running) -> None:
    """Two spaces know the same identifier as two people."""
    assert live.url
    mine, theirs = (
        each.send({"type": "track", "event": "E", "userId": "u1"})[0]["profile_id"] for each in (shop, other_shop)
    )

    assert mine != theirs
    assert shop.ask("GET", "/v1/profiles/user_id:u1").json()["profile_id"] == mine
