"""Groups as profiles of their own: accounts of the Profile API, with links to their members and back."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.http.memberships import api, join, leave, linked

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def masked(document: Any) -> Any:
    """A document without its times, which differ from run to run."""
    if isinstance(document, dict):
        return {name: masked(value) for name, value in document.items()}
    if isinstance(document, list):
        return [masked(value) for value in document]
    return "TIME" if isinstance(document, str) and TIME.fullmatch(document) else document


def test_a_group_is_an_account_of_the_profile_api(shop: Shop) -> None:
    """In the shapes that clients of Segment know."""
    join(shop, "ann", messageId="m1", traits={"name": "Acme", "plan": "pro", "seats": 5})
    join(shop, "bob", messageId="m2", traits={"seats": 6}, context={"ip": "10.0.0.1"})
    ref = "accounts/profiles/group_id:acme"
    root = f"/v1/spaces/{shop.space_id}/collections/{ref.replace('group_id:acme', '-')}"
    source = next(k["key_id"] for k in shop.ask("GET", "/v1/keys").json()["keys"] if k["name"] == "import")
    ids = {user: shop.ask("GET", f"/v1/profiles/user_id:{user}").json()["profile_id"] for user in ("ann", "bob")}

    traits = api(shop, f"{ref}/traits", limit="2")
    assert traits == {
        "traits": {"name": "Acme", "plan": "pro"},
        "cursor": {"url": f"{root}/traits", "has_more": True, "next": traits["cursor"]["next"], "limit": 2},
    }
    assert api(shop, f"{ref}/traits", limit="2", next=traits["cursor"]["next"])["traits"] == {"seats": 6}
    assert masked(api(shop, f"{ref}/traits", verbose="true", include="plan"))["traits"] == {
        "plan": {"value": "pro", "source_id": None, "updated_at": "TIME"}
    }
    assert masked(api(shop, f"{ref}/external_ids")) == {
        "data": [
            {
                "source_id": None,
                "collection": "accounts",
                "id": "acme",
                "type": "group_id",
                "created_at": "TIME",
                "encoding": "none",
                "first_message_id": None,
            }
        ],
        "cursor": {"url": f"{root}/external_ids", "has_more": False, "next": "", "limit": 25},
    }
    assert masked(api(shop, f"{ref}/metadata")) == {
        "metadata": {
            "created_at": "TIME",
            "updated_at": "TIME",
            "expires_at": None,
            "first_message_id": "m1",
            "first_source_id": source,
            "last_message_id": "m2",
            "last_source_id": source,
        }
    }
    assert masked(api(shop, f"{ref}/events")) == {
        "data": [
            {
                "external_ids": [{"collection": "accounts", "type": "group_id", "id": "acme", "encoding": "none"}],
                "context": {"ip": "10.0.0.1"} if user == "bob" else {},
                "type": "group",
                "message_id": message,
                "source_id": source,
                "timestamp": "TIME",
                "properties": traits,
                "related": {"users": ids[user]},
            }
            for user, message, traits in (
                ("bob", "m2", {"seats": 6}),
                ("ann", "m1", {"name": "Acme", "plan": "pro", "seats": 5}),
            )
        ],
        "cursor": {"url": f"{root}/events", "has_more": False, "next": "", "limit": 100},
    }


def test_links_lead_from_users_to_accounts_and_back(shop: Shop) -> None:
    """In the shapes that clients of Segment know."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}, "messageId": "m0"})
    join(shop, "ann", messageId="m1")
    join(shop, "ann", "beta", messageId="m2")
    join(shop, "bob", messageId="m3")
    source = next(k["key_id"] for k in shop.ask("GET", "/v1/keys").json()["keys"] if k["name"] == "import")
    ann = shop.ask("GET", "/v1/profiles/user_id:ann").json()["profile_id"]
    shared = {"source_id": source, "created_at": "TIME", "encoding": "none"}

    def account(name: str, message: str) -> dict[str, Any]:
        ids = {"id": name, "type": "group_id", "collection": "accounts", "first_message_id": message, **shared}
        return {"to_collection": "accounts", "external_ids": [ids]}

    def user(type_: str, value: str, message: str) -> dict[str, Any]:
        return {"id": value, "type": type_, "collection": "users", "first_message_id": message, **shared}

    root = f"/v1/spaces/{shop.space_id}/collections"
    assert masked(api(shop, "users/profiles/user_id:ann/links")) == {
        "data": [account("acme", "m1"), account("beta", "m2")],
        "cursor": {"url": f"{root}/users/profiles/{ann}/links", "has_more": False, "next": "", "limit": 20},
    }
    found = masked(api(shop, "accounts/profiles/group_id:acme/links"))
    assert sorted(found["data"], key=str) == sorted(
        [
            {
                "to_collection": "users",
                "external_ids": [user("user_id", "ann", "m0"), user("email", "ann@example.org", "m0")],
            },
            {"to_collection": "users", "external_ids": [user("user_id", "bob", "m3")]},
        ],
        key=str,
    )
    assert found["cursor"]["url"] == f"{root}/accounts/profiles/-/links"
    leave(shop, "user_id:ann")
    assert api(shop, "users/profiles/user_id:ann/links")["data"][0]["external_ids"][0]["id"] == "beta"
    assert len(api(shop, "accounts/profiles/group_id:acme/links")["data"]) == 1


def test_the_list_of_accounts_has_each_group_once(shop: Shop) -> None:
    """Page by page."""
    for at in range(7):
        join(shop, "ann", f"g{at}")
    seen: list[str] = []
    next_ = ""
    while True:
        page = shop.ask(
            "GET",
            f"/v1/spaces/{shop.space_id}/collections/accounts/profiles",
            params={"limit": "3", **({"next": next_} if next_ else {})},
        ).json()
        seen += [each["segment_id"] for each in page["data"]]
        next_ = page["cursor"]["next"]
        assert page["cursor"]["has_more"] == bool(next_)
        if not next_:
            break

    assert sorted(seen) == [f"group_id:g{at}" for at in range(7)]


@pytest.mark.parametrize("ref", ["user_id:ann", "acme", "group_id:", "group_id:none", "segment_id:acme"])
def test_what_is_no_account(common_shop: Shop, ref: str) -> None:
    """Only a group's id leads to one."""
    join(common_shop, "ann")
    answer = common_shop.ask(
        "GET", f"/v1/spaces/{common_shop.space_id}/collections/accounts/profiles/{ref}/traits", "profiles"
    )

    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["code"] in ("validation_error", "not_found")


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_the_last_page_of_links_is_not_empty(shop: Shop, limit: int) -> None:
    """A list says that there is more only where there is."""
    for at in range(4):
        join(shop, f"u{at}")
    place = "accounts/profiles/group_id:acme/links"
    page = api(shop, place, limit=str(limit))
    seen = linked(page)
    while page["cursor"]["has_more"]:
        page = api(shop, place, limit=str(limit), next=page["cursor"]["next"])
        assert page["data"]
        seen += linked(page)

    assert sorted(seen) == ["u0", "u1", "u2", "u3"]


@pytest.fixture
def bustle(shop: Shop) -> Iterator[Callable[[], None]]:
    """Joins, departures and merges of others, for as long as the test runs."""
    over = threading.Event()

    def work() -> None:
        at = 0
        while not over.is_set():
            shop.send(
                {"type": "group", "anonymousId": f"x{at}", "groupId": "acme"},
                {"type": "group", "userId": f"y{at}", "groupId": "acme"},
                {"type": "identify", "userId": f"y{at}", "anonymousId": f"x{at}"},
            )
            leave(shop, f"user_id:y{at}")
            at += 1

    thread = threading.Thread(target=work)
    yield thread.start
    over.set()
    thread.join()


def test_links_hold_while_others_come_and_go(shop: Shop, bustle: Callable[[], None]) -> None:
    """Who is a member throughout is listed once, whatever happens between the pages."""
    steady = [f"u{at}" for at in range(60)]
    shop.send(*({"type": "group", "userId": user, "groupId": "acme"} for user in steady))
    bustle()
    for _ in range(3):
        seen: list[str] = []
        next_ = ""
        while True:
            page = api(shop, "accounts/profiles/group_id:acme/links", limit="7", **({"next": next_} if next_ else {}))
            for each in page["data"]:
                seen += [id_["id"] for id_ in each["external_ids"] if id_["id"].startswith("u")]
            next_ = page["cursor"]["next"]
            if not next_:
                break
        assert sorted(seen) == sorted(steady)
