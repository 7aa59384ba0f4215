"""Rebuild and simulation over HTTP: a value blocked later, limits that move, a cut carried over."""

from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.http.battery import listed, written
from tests.support.http.unmerges import get, unmerge


def put(shop: Shop, **rules: Any) -> None:
    """Puts these rules in force."""
    assert shop.ask("PUT", "/v1/rules", json=rules).status_code == 200


def rebuild(shop: Shop) -> dict[str, Any]:
    """Rebuilds the space and waits for the end."""
    asked = shop.ask("POST", "/v1/rules/rebuild")
    assert asked.status_code == 202
    assert asked.json()["state"] in ("queued", "running", "done")
    for _ in range(10):
        job: dict[str, Any] = shop.ask("GET", f"/v1/jobs/{asked.json()['job_id']}?wait=10").json()
        if job["state"] not in ("queued", "running"):
            break
    assert job["state"] == "done", job
    assert job["done"] == job["total"]
    return job


def partition(shop: Shop) -> list[list[str]]:
    """The identifiers of every profile."""
    return sorted(written(profile) for profile in listed(shop))


def identify(user: str, email: str, **traits: Any) -> dict[str, Any]:
    """A user with an e-mail."""
    return {"type": "identify", "userId": user, "traits": {"email": email, **traits}}


def test_a_value_blocked_later(shop: Shop) -> None:
    """Whom a value joined before it was blocked, the rebuild parts, and each gets his own back."""
    put(shop, limits={"user_id": {"max": 2}})
    first = shop.send(identify("u1", "team@x.org", a=1))[0]["profile_id"]
    shop.send({"type": "identify", "userId": "u2", "traits": {"b": 2}})
    second = get(shop, "user_id:u2")["profile_id"]
    shop.send(identify("u2", "team@x.org"))
    assert partition(shop) == [["email:team@x.org", "user_id:u1", "user_id:u2"]]
    put(shop, limits={"user_id": {"max": 2}}, blocked={"email": ["team@x\\.org"]})
    assert partition(shop) == [["email:team@x.org", "user_id:u1", "user_id:u2"]]

    result = rebuild(shop)["result"]

    assert result["profiles_changed"] == 2
    assert partition(shop) == [["user_id:u1"], ["user_id:u2"]]
    assert {get(shop, "user_id:u1")["profile_id"], get(shop, "user_id:u2")["profile_id"]} == {first, second}
    assert get(shop, "user_id:u1")["traits"] == {"email": "team@x.org", "a": 1}
    assert get(shop, "user_id:u2")["traits"] == {"email": "team@x.org", "b": 2}
    assert get(shop, "user_id:u1")["event_count"] == 1
    assert get(shop, "user_id:u2")["event_count"] == 2
    lines = shop.ask("GET", "/v1/profiles/user_id%3Au1/history").json()["history"]
    assert {"rebuilt", "rules_changed"} <= {line["type"] for line in lines}
    put(shop, limits={"user_id": {"max": 2}})
    rebuild(shop)
    assert partition(shop) == [["email:team@x.org", "user_id:u1", "user_id:u2"]]
    assert get(shop, "user_id:u2")["profile_id"] == first


def test_a_limit_tightened_and_loosened(shop: Shop) -> None:
    """What a limit kept apart comes together, and apart again; a merged id resolves all along."""
    for device in ("a1", "a2", "a3"):
        shop.send({"type": "track", "event": "E", "anonymousId": device})
        shop.send({"type": "identify", "userId": "u1", "anonymousId": device})
    ids = {profile["profile_id"] for profile in listed(shop)}
    ids |= set(listed(shop)[0]["merged_from"])
    together = [["anonymous_id:a1", "anonymous_id:a2", "anonymous_id:a3", "user_id:u1"]]
    assert partition(shop) == together
    put(shop, limits={"anonymous_id": {"max": 1}})
    assert partition(shop) == together

    rebuild(shop)

    assert partition(shop) == [["anonymous_id:a1", "user_id:u1"], ["anonymous_id:a2"], ["anonymous_id:a3"]]
    assert {profile["profile_id"] for profile in listed(shop)} == ids
    put(shop)
    rebuild(shop)
    assert partition(shop) == together
    for id_ in ids:
        assert shop.ask("GET", f"/v1/profiles/{id_}").status_code == 200


def test_a_cut_is_carried_over(shop: Shop) -> None:
    """What was parted stays apart, whatever the rules become."""
    shop.send({"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"n": 1}})
    shop.send({"type": "identify", "anonymousId": "a1", "traits": {"m": 2}})
    unmerge(shop, "anonymous_id:a1")
    for rules in ({"max_identifiers": 50}, {"limits": {"anonymous_id": {"max": 3}}}, {}):
        put(shop, **rules)
        rebuild(shop)
        assert partition(shop) == [["anonymous_id:a1"], ["user_id:u1"]]
        assert get(shop, "user_id:u1")["traits"] == {"n": 1}
        assert get(shop, "anonymous_id:a1")["traits"] == {"m": 2}
    again = shop.send({"type": "track", "event": "E", "userId": "u1", "anonymousId": "a1"})[0]
    assert [each["reason"] for each in again["demoted"]] == ["separated"]


def test_nobody_left_and_back(shop: Shop) -> None:
    """Who is nobody under the new rules is found no more, and is again when they are taken back."""
    id_ = shop.send({"type": "identify", "anonymousId": "kiosk-1", "traits": {"n": 1}})[0]["profile_id"]
    put(shop, blocked={"*": ["kiosk-.*"]})
    rebuild(shop)
    assert partition(shop) == []
    assert shop.ask("GET", f"/v1/profiles/{id_}").status_code == 404
    put(shop)
    rebuild(shop)
    assert partition(shop) == [["anonymous_id:kiosk-1"]]
    assert get(shop, "anonymous_id:kiosk-1")["profile_id"] == id_
    assert get(shop, "anonymous_id:kiosk-1")["traits"] == {"n": 1}


@pytest.mark.parametrize("block", ["true", "false"])
def test_a_removed_one_is_not_replayed(shop: Shop, block: str) -> None:
    """A rebuild does not bring a removed identifier back; a call after the removal does, unless blocked."""
    shop.send(identify("u1", "e@x.org"))
    assert shop.ask("DELETE", f"/v1/identifiers/email%3Ae%40x.org?block={block}").status_code == 200
    rebuild(shop)
    assert partition(shop) == [["user_id:u1"]]
    shop.send({"type": "identify", "anonymousId": "a1", "traits": {"email": "e@x.org"}})
    rebuild(shop)
    back = [] if block == "true" else ["email:e@x.org"]
    assert partition(shop) == [["anonymous_id:a1", *back], ["user_id:u1"]]


def test_simulated_rules_change_nothing(shop: Shop) -> None:
    """Their numbers and examples are those of the rebuild that follows."""
    put(shop, limits={"user_id": {"max": 2}})
    shop.send(identify("u1", "team@x.org"), identify("u2", "team@x.org"))
    shop.send(identify("u3", "other@x.org"), identify("u4", "other@x.org"))
    before = shop.ask("GET", "/v1/profiles").json()
    rules = shop.ask("GET", "/v1/rules").json()
    candidate = {"blocked": {"email": ["team@x\\.org"]}, "limits": {"user_id": {"max": 2}}}

    job = shop.ask("POST", "/v1/rules/simulate", json=candidate).json()

    assert (job["profiles_before"], job["profiles_after"]) == (2, 3)
    assert (job["profiles_split"], job["profiles_joined"], job["identifiers_lost"]) == (1, 0, 1)
    assert job["reasons"] == {"blocked": 2}
    (example,) = job["examples"]
    assert example["change"] == "split"
    assert sorted(sorted(part) for part in example["parts"]) == [["user_id:u1"], ["user_id:u2"]]
    assert shop.ask("GET", "/v1/profiles").json() == before
    assert shop.ask("GET", "/v1/rules").json() == rules
    put(shop, **candidate)
    rebuild(shop)
    assert len(listed(shop)) == 3
    assert shop.ask("POST", "/v1/rules/simulate", json={"region": "nowhere"}).status_code == 422


def test_a_job_of_another_space_is_not_found(shop: Shop, other_shop: Shop) -> None:
    """A job of another space is as one that does not exist."""
    job = other_shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    mine, nobody = shop.ask("GET", f"/v1/jobs/{job}"), shop.ask("GET", "/v1/jobs/job_nobody")
    assert (mine.status_code, mine.content) == (404, nobody.content)
