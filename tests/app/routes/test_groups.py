"""Groups: joining, leaving, counting, and groups as profiles of their own with links both ways."""

from typing import Any

import psycopg
import pytest

from tests.app.conftest import AUDIT, Shop
from tests.support.http.memberships import api, join, leave, linked


def members(shop: Shop, group: str = "acme") -> int:
    """How many belong to it."""
    group_answer = shop.ask("GET", f"/v1/groups/{group}").json()
    assert group_answer["approximate"] is False
    return int(group_answer["member_count"])


def groups(shop: Shop, ref: str) -> list[str]:
    """What a profile belongs to."""
    return list(shop.ask("GET", f"/v1/profiles/{ref}").json()["groups"])


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
    shop.send({"type": "track", "event": "E", "userId": "bob"})

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


def test_a_deleted_group_has_no_members_traits_or_key(shop: Shop, rows: psycopg.Connection[Any]) -> None:
    """Members of other groups stay there; a later call starts the group anew, and old traits stay away."""
    join(shop, "ann", traits={"name": "Acme", "contact": "ann@x.org"})
    join(shop, "bob", traits={"plan": "pro"})
    join(shop, "bob", "other")
    join(shop, "eve")
    leave(shop, "user_id:eve")
    assert shop.ask("DELETE", "/v1/groups/acme", "profiles").status_code == 403
    answer = shop.ask("DELETE", "/v1/groups/%20acme", "privacy")

    assert (answer.status_code, answer.json()) == (200, {"group_id": "acme", "deleted": True, "members_removed": 2})
    assert [shop.ask(method, "/v1/groups/acme").status_code for method in ("GET", "DELETE")] == [404, 404]
    assert (groups(shop, "user_id:ann"), groups(shop, "user_id:bob")) == ([], ["other"])
    number = rows.execute("SELECT id FROM space WHERE name = %s", (shop.name,)).fetchone()
    assert number is not None
    assert rows.execute("SELECT count(*) FROM account WHERE space_id = %s", number).fetchone() == (1,)
    audit = f"SELECT subject FROM {AUDIT} audit WHERE action = 'group.delete' AND space_id = {number[0]}"
    assert rows.execute(audit.encode()).fetchall() == [(None,)]

    join(shop, "bob", traits={"plan": "free"})
    shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:ann"]})
    anew = shop.ask("GET", "/v1/groups/acme").json()
    assert (anew["traits"], anew["member_count"]) == ({"plan": "free"}, 1)


def test_a_group_stays_deleted_after_a_rebuild_and_for_a_merged_profile(shop: Shop) -> None:
    """Both origins of a person had named it."""
    for ref in ({"anonymousId": "a1"}, {"userId": "ann"}):
        shop.send({"type": "group", "groupId": "acme", "traits": {"x": 1}, **ref})
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1"})
    assert shop.ask("DELETE", "/v1/groups/acme").json()["members_removed"] == 1
    job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
    assert groups(shop, "user_id:ann") == []
    assert shop.ask("GET", "/v1/groups/acme").status_code == 404


def test_a_large_group_is_deleted_whole(shop: Shop) -> None:
    """More members than leave at once."""
    for at in range(0, 520, 260):
        shop.send(*({"type": "group", "userId": f"u{nr}", "groupId": "big"} for nr in range(at, at + 260)))
    assert shop.ask("DELETE", "/v1/groups/big").json()["members_removed"] == 520
    assert [groups(shop, f"user_id:u{nr}") for nr in (0, 519)] == [[], []]


def test_a_suppressed_member_leaves_and_keeps_no_group_alive(shop: Shop) -> None:
    """A suppression drops calls about a person; who takes the person out of a group sends no such call."""
    for user in ("ann", "bob"):
        join(shop, user, traits={"contact": user})
    named = {"identifiers": ["user_id:ann", "user_id:bob"]}
    assert shop.ask("POST", "/v1/suppressions", "privacy", json=named).status_code == 200
    assert leave(shop, "user_id:ann").status_code == 200
    assert groups(shop, "user_id:ann") == []
    deleted = shop.ask("DELETE", "/v1/groups/acme").json()
    assert (deleted["deleted"], deleted["members_removed"]) == (True, 1)
    assert (shop.ask("GET", "/v1/groups/acme").status_code, groups(shop, "user_id:bob")) == (404, [])
