"""Simulating, unmerging and removing over HTTP: what a privacy team does, step by step."""

from typing import Any
from urllib.parse import quote

from tests.app.conftest import Shop
from tests.support.http.unmerges import get, ids, unmerge


def test_a_simulated_call_writes_nothing(shop: Shop) -> None:
    """Its outcome is that of the call itself, which is sent afterwards and is no duplicate."""
    shop.send({"type": "identify", "userId": "u1"}, {"type": "identify", "userId": "u2", "anonymousId": "a2"})
    calls: list[dict[str, Any]] = [
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "m1", "traits": {"email": "a@b.org"}},
        {"type": "identify", "userId": "u1", "anonymousId": "a2", "messageId": "m2"},
        {"type": "alias", "userId": "u1", "previousId": "u2", "messageId": "m3"},
        {"type": "track", "event": "E", "messageId": "m4", "context": {"externalIds": [
            {"type": "new_type", "id": "7", "collection": "users", "encoding": "none"}]}},
        {"type": "track", "event": "E", "userId": "null", "messageId": "m5"},
        {"type": "nonsense"},
    ]  # fmt: skip
    before = shop.ask("GET", "/v1/profiles").json()

    tried = [shop.ask("POST", "/v1/identities/simulate", "import", json=call).json() for call in calls]

    assert shop.ask("GET", "/v1/profiles").json() == before
    for call, trial in zip(calls, tried, strict=True):
        again = shop.ask("POST", "/v1/identities/simulate", json=call).json()
        assert again["status"] == trial["status"]
        assert {**shop.send(call)[0], "profile_id": None} == {**again, "profile_id": None}
    assert tried[3]["created"]
    assert tried[3]["profile_id"] is None
    assert shop.ask("POST", "/v1/identities/simulate", json=calls[0]).json()["status"] == "duplicate"


def test_two_people_apart_again(shop: Shop) -> None:
    """Both get their own back, stay apart, and both histories say so."""
    put = shop.ask("PUT", "/v1/rules", json={"limits": {"user_id": {"max": 2}}})
    assert put.status_code == 200
    ann = {"type": "identify", "userId": "ann", "traits": {"email": "team@x.org", "name": "Ann"}}
    bob = {"type": "identify", "userId": "bob", "traits": {"email": "team@x.org", "name": "Bob"}}
    first = shop.send(ann)[0]["profile_id"]
    shop.send({"type": "group", "userId": "bob", "groupId": "acme"})
    merged = shop.send(bob)[0]
    assert len(merged["merged"]) == 1

    parted = unmerge(shop, "user_id:bob")

    assert parted == {"profile_id": merged["merged"][0], "remaining_profile_id": first}
    assert get(shop, "user_id:ann")["traits"] == {"email": "team@x.org", "name": "Ann"}
    assert get(shop, "user_id:bob")["traits"] == {"email": "team@x.org", "name": "Bob"}
    assert get(shop, "user_id:bob")["groups"] == ["acme"]
    assert get(shop, "user_id:ann")["groups"] == []
    again = shop.send({**bob, "messageId": "later"})[0]
    assert again["demoted"] == [{"identifier": "email:team@x.org", "reason": "separated"}]
    for ref, other in (("user_id:ann", merged["merged"][0]), ("user_id:bob", first)):
        lines = shop.ask("GET", f"/v1/profiles/{quote(ref)}/history").json()["history"]
        line = next(each for each in lines if each["type"] == "unmerged")
        assert line["other_profile_id"] == other
        assert line["actor"].startswith("key_")
        assert "rules_changed" not in {each["type"] for each in lines}
    shop.ask("PUT", "/v1/rules", json={})
    lines = shop.ask("GET", "/v1/profiles/user_id%3Aann/history").json()["history"]
    assert lines[0]["type"] == "rules_changed"


def test_unmerge_inside_an_origin(shop: Shop) -> None:
    """What one call brought together is parted by the evidence; the first identifier can leave as well."""
    shop.send({"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}})
    shop.send({"type": "track", "anonymousId": "a1", "event": "Seen"})
    shop.send({"type": "track", "anonymousId": "a1", "event": "Seen"})
    shop.send({"type": "identify", "anonymousId": "a1", "traits": {"theme": "dark"}})

    unmerge(shop, "user_id:u1", block=False)

    assert get(shop, "user_id:u1")["traits"] == {"plan": "pro"}
    assert get(shop, "anonymous_id:a1")["traits"] == {"theme": "dark"}
    assert get(shop, "user_id:u1")["event_count"] == 1
    assert get(shop, "anonymous_id:a1")["event_count"] == 3
    events = shop.ask("GET", f"/v1/spaces/{shop.space_id}/collections/users/profiles/anonymous_id:a1/events")
    assert [each["type"] for each in events.json()["data"]] == ["identify", "track", "track"]
    assert len(shop.send({"type": "track", "userId": "u1", "anonymousId": "a1", "event": "E"})[0]["merged"]) == 1


def test_what_cannot_be_unmerged(shop: Shop) -> None:
    """Unknown, of two profiles, or all of one: 422, and nothing changes."""
    shop.send({"type": "identify", "userId": "u1", "anonymousId": "a1"}, {"type": "identify", "userId": "u2"})
    before = shop.ask("GET", "/v1/profiles").json()
    for named in (["user_id:nobody"], ["user_id:u1", "user_id:u2"], ["user_id:u1", "anonymous_id:a1"], ["user_id:u2"]):
        answer = shop.ask("POST", "/v1/profiles/unmerge", json={"identifiers": named})
        assert (answer.status_code, answer.json()["code"]) == (422, "not_one_profile")
    assert shop.ask("POST", "/v1/profiles/unmerge", json={"identifiers": []}).status_code == 422
    assert shop.ask("POST", "/v1/profiles/unmerge", json={"identifiers": ["what"]}).status_code == 400
    assert shop.ask("GET", "/v1/profiles").json() == before


def test_remove_and_come_back(shop: Shop) -> None:
    """A removed identifier is forgotten, its data stays; it may come back where it is not blocked."""
    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "e@x.org", "name": "N"}})

    removed = shop.ask("DELETE", "/v1/identifiers/email%3AE%40x.org", "privacy")

    assert removed.json() == {"profile_id": get(shop, "user_id:u1")["profile_id"], "blocked": False, "found": True}
    assert ids(get(shop, "user_id:u1")) == {"user_id:u1"}
    assert get(shop, "user_id:u1")["traits"]["email"] == "e@x.org"
    assert shop.ask("GET", "/v1/profiles/email%3Ae%40x.org").status_code == 404
    assert shop.ask("DELETE", "/v1/identifiers/email%3Ae%40x.org").json()["code"] == "identifier_not_found"
    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "e@x.org", "name": "N"}})
    assert ids(get(shop, "user_id:u1")) == {"user_id:u1", "email:e@x.org"}
    line = shop.ask("GET", "/v1/profiles/user_id%3Au1/history").json()["history"][1]
    assert line["type"] == "identifier_removed"
    assert line["identifiers"] == [{"type": "email", "value": "e@x.org"}]


def test_a_blocked_identifier_never_comes_back(shop: Shop) -> None:
    """Nor does a blocked identifier that no profile had."""
    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "e@x.org"}})
    blocked = shop.ask("DELETE", "/v1/identifiers/email%3Ae%40x.org?block=true").json()
    assert (blocked["blocked"], blocked["found"]) == (True, True)
    assert shop.ask("DELETE", "/v1/identifiers/anonymous_id%3Akiosk?block=true").json() == {
        "profile_id": None,
        "blocked": True,
        "found": False,
    }
    outcome = shop.send({"type": "identify", "userId": "u1", "anonymousId": "kiosk", "traits": {"email": "E@X.org"}})[0]
    assert {each["identifier"]: each["reason"] for each in outcome["demoted"]} == {
        "email:e@x.org": "blocked",
        "anonymous_id:kiosk": "blocked",
    }
    assert ids(get(shop, "user_id:u1")) == {"user_id:u1"}


def test_the_last_one_stays(shop: Shop) -> None:
    """Without it nobody could find the profile again: that is an erasure's work."""
    shop.send({"type": "identify", "userId": "u1"})
    answer = shop.ask("DELETE", "/v1/identifiers/user_id%3Au1")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_identifier")
