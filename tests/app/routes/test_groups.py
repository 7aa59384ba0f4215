"""Groups: joining, leaving, counting, and groups as profiles of their own with links both ways."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.app.conftest import AUDIT, Shop

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def join(shop: Shop, user: str, group: str = "acme", **more: Any) -> dict[str, Any]:
    """A group call."""
    return shop.send({"type": "group", "userId": user, "groupId": group, **more})[0]


def leave(shop: Shop, ref: str, group: str = "acme", key: str = "admin") -> Any:
    """Takes a member out."""
    return shop.ask("DELETE", f"/v1/groups/{group}/members/{ref}", key)


def members(shop: Shop, group: str = "acme") -> int:
    """How many belong to it."""
    group_answer = shop.ask("GET", f"/v1/groups/{group}").json()
    assert group_answer["approximate"] is False
    return int(group_answer["member_count"])


def groups(shop: Shop, ref: str) -> list[str]:
    """What a profile belongs to."""
    return list(shop.ask("GET", f"/v1/profiles/{ref}").json()["groups"])


def api(shop: Shop, place: str, **params: str) -> Any:
    """An answer of the Profile API."""
    answer = shop.ask("GET", f"/v1/spaces/{shop.space_id}/collections/{place}", "profiles", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def masked(document: Any) -> Any:
    """A document without its times, which differ from run to run."""
    if isinstance(document, dict):
        return {name: masked(value) for name, value in document.items()}
    if isinstance(document, list):
        return [masked(value) for value in document]
    return "TIME" if isinstance(document, str) and TIME.fullmatch(document) else document


def test_a_removed_member_is_out_and_nobody_else(shop: Shop) -> None:
    """The count and the links follow."""
    join(shop, "ann")
    join(shop, "bob")
    assert (members(shop), groups(shop, "user_id:ann")) == (2, ["acme"])
    answer = leave(shop, "user_id:ann")

    assert answer.status_code == 200
    profile = shop.ask("GET", "/v1/profiles/user_id:ann").json()
    assert answer.json() == {"group_id": "acme", "profile_id": profile["profile_id"], "member": False}
    assert (members(shop), profile["groups"], groups(shop, "user_id:bob")) == (1, [], ["acme"])
    assert leave(shop, "user_id:ann").status_code == 200
    assert members(shop) == 1


def test_a_later_group_call_adds_a_removed_member_again(shop: Shop) -> None:
    """A call that happened before the removal does not."""
    join(shop, "ann")
    leave(shop, "user_id:ann")
    join(shop, "ann", timestamp="2026-01-01T00:00:00Z")
    assert (members(shop), groups(shop, "user_id:ann")) == (0, [])
    join(shop, "ann")
    assert (members(shop), groups(shop, "user_id:ann")) == (1, ["acme"])


def test_leaving_after_a_merge(shop: Shop) -> None:
    """The whole person leaves, wherever she had joined; members are counted once however often they joined."""
    for ref in ({"anonymousId": "a1"}, {"userId": "ann"}):
        shop.send({"type": "group", "groupId": "acme", **ref})
    assert members(shop) == 2
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1"})
    assert members(shop) == 1
    leave(shop, "anonymous_id:a1")

    assert (members(shop), groups(shop, "user_id:ann")) == (0, [])


@pytest.mark.parametrize("last", ["join", "leave"])
def test_after_a_merge_the_later_statement_counts(shop: Shop, last: str) -> None:
    """Whether the profile joined or left last."""
    shop.send({"type": "group", "groupId": "acme", "anonymousId": "a1"})
    if last == "leave":
        join(shop, "ann")
        leave(shop, "anonymous_id:a1")
    else:
        leave(shop, "anonymous_id:a1")
        join(shop, "ann")
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1"})

    expected = (1, ["acme"]) if last == "join" else (0, [])
    assert (members(shop), groups(shop, "user_id:ann")) == expected


def test_removing_an_unknown_member_or_group_is_an_error(shop: Shop) -> None:
    """A profile that never was a member stays out, and no profile is created."""
    join(shop, "ann")
    shop.send({"type": "track", "userId": "bob"})

    assert (leave(shop, "user_id:none").status_code, leave(shop, "user_id:none").json()["code"]) == (
        404,
        "profile_not_found",
    )
    assert (leave(shop, "user_id:ann", "none").status_code, leave(shop, "nonsense").status_code) == (404, 400)
    assert leave(shop, "user_id:bob").status_code == 200
    assert (members(shop), groups(shop, "user_id:bob")) == (1, [])
    assert shop.ask("GET", "/v1/profiles/user_id:none").status_code == 404
    assert len(shop.ask("GET", "/v1/profiles").json()["profiles"]) == 2


def test_a_full_document_can_still_be_left(shop: Shop) -> None:
    """However much is kept of somebody, a departure is kept too."""
    join(shop, "ann")
    for at in range(8):
        shop.send({"type": "identify", "userId": "ann", "traits": {f"t{at}-{n}": n for n in range(280)}})
    shop.send({"type": "group", "anonymousId": "a1", "groupId": "other"})
    shop.send({"type": "alias", "userId": "ann", "previousId": "a1"})
    for group in ("acme", "other"):
        assert leave(shop, "user_id:ann", group).status_code == 200
        assert members(shop, group) == 0
    assert groups(shop, "user_id:ann") == []


def test_it_is_no_call_that_can_be_sent(shop: Shop) -> None:
    """Only who may manage people may take them out."""
    join(shop, "ann")
    outcome = shop.send({"type": "leave", "userId": "ann", "groupId": "acme"})[0]
    assert (outcome["status"], outcome["reason"]) == ("rejected", "invalid_type")
    assert shop.ask("POST", "/v1/leave", "import", json={"userId": "ann", "groupId": "acme"}).status_code == 404
    assert {leave(shop, "user_id:ann", key=key).status_code for key in ("write", "import", "profiles")} == {403}
    assert members(shop) == 1


def test_a_departure_is_no_event(shop: Shop, rows: psycopg.Connection[Any]) -> None:
    """It is counted nowhere and in no list of events; the audit names the profile and not the group."""
    join(shop, "ann", "secret-group")
    before = shop.ask("GET", "/v1/profiles/user_id:ann").json()
    leave(shop, "user_id:ann", "secret-group", key="privacy")
    after = shop.ask("GET", "/v1/profiles/user_id:ann").json()

    assert (before["event_count"], after["event_count"]) == (1, 1)
    assert after["version"] > before["version"]
    for place in ("users/profiles/user_id:ann", "accounts/profiles/group_id:secret-group"):
        assert [each["type"] for each in api(shop, f"{place}/events")["data"]] in (["group"], [])
    assert api(shop, "accounts/profiles/group_id:secret-group/events")["data"] == []
    assert api(shop, "accounts/profiles/group_id:secret-group/metadata")["metadata"]["last_message_id"] is None
    lines = rows.execute(f"SELECT subject FROM {AUDIT} audit WHERE action = 'group.leave'".encode()).fetchall()
    assert (after["profile_id"],) in lines
    written = rows.execute(f"SELECT string_agg(audit::text, ' ') FROM {AUDIT} audit".encode()).fetchone()
    assert written is not None
    assert "secret-group" not in written[0]


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
def test_what_is_no_account(shop: Shop, ref: str) -> None:
    """Only a group's id leads to one."""
    join(shop, "ann")
    answer = shop.ask("GET", f"/v1/spaces/{shop.space_id}/collections/accounts/profiles/{ref}/traits", "profiles")

    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["code"] in ("validation_error", "not_found")


def linked(page: Any) -> list[str]:
    """The user ids and devices on a page of links."""
    return [id_["id"] for each in page["data"] for id_ in each["external_ids"]]


def test_a_member_who_merges_with_one_who_left(shop: Shop) -> None:
    """She is listed, though the other's place in the list has passed by."""
    shop.send({"type": "group", "anonymousId": "left", "groupId": "acme"})
    leave(shop, "anonymous_id:left")
    join(shop, "first")
    join(shop, "second")
    join(shop, "steady")
    place = "accounts/profiles/group_id:acme/links"
    page = api(shop, place, limit="2")
    seen = linked(page)
    shop.send({"type": "identify", "userId": "steady", "anonymousId": "left"})
    while page["cursor"]["has_more"]:
        page = api(shop, place, limit="2", next=page["cursor"]["next"])
        seen += linked(page)

    assert "steady" in seen
    assert {"first", "second"} <= set(seen)


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


def test_a_placeholder_is_no_group_of_everybody(shop: Shop) -> None:
    """Nobody joins, the outcome and the list of rejections name the value, and an unmerge brings no group back."""
    for group in ("undefined", "null", "00000000-0000-0000-0000-000000000000"):
        outcomes = [
            shop.send({"type": "group", "anonymousId": name, "userId": "ann", "groupId": group, "traits": {"x": name}})
            for name in ("a1", "a2")
        ]
        blocked = [{"identifier": f"group_id:{group}", "reason": "blocked"}]
        assert [(each["status"], each["demoted"]) for (each,) in outcomes] == [("accepted", blocked)] * 2
        assert shop.ask("GET", f"/v1/groups/{group}").status_code == 404
    listed = shop.ask("GET", "/v1/rejections").json()["rejections"]
    assert {each["identifier"] for line in listed for each in line["demoted"]} >= {"group_id:undefined"}
    assert shop.ask("POST", "/v1/profiles/unmerge", json={"identifiers": ["anonymous_id:a2"]}).status_code == 200
    assert (groups(shop, "user_id:ann"), groups(shop, "anonymous_id:a2")) == ([], [])
