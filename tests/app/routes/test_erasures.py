"""Erasures, suppressions and holds over HTTP: what is asked, what is answered, and what is left."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.conftest import ROOT

PLANTED = "planted-5c2e"


def erase(shop: Shop, *identifiers: str, **wanted: Any) -> Any:
    """The answer to an erasure; `again` is its Idempotency-Key."""
    headers = {"Idempotency-Key": wanted.pop("again")} if "again" in wanted else {}
    document = {"identifiers": list(identifiers), **wanted}
    return shop.ask("POST", "/v1/erasures", "privacy", json=document, headers=headers)


def test_everything_merged_is_gone_when_it_is_answered(shop: Shop) -> None:
    """The answer shows the results still to come."""
    shop.send({"type": "track", "event": "E", "anonymousId": "a1"})
    shop.send({"type": "identify", "userId": PLANTED, "anonymousId": "a1", "traits": {"email": "ann@example.org"}})
    made = erase(shop, "email:Ann@Example.org", regulation="gdpr")
    assert made.status_code == 202
    (one,) = made.json()["erasures"]
    assert (one["identifier"], one["internal"]) == ("email:ann@example.org", "finished")
    for key in ("profiles", "privacy", "admin"):
        for identifier in (f"user_id:{PLANTED}", "anonymous_id:a1", "email:ann@example.org"):
            assert shop.ask("GET", f"/v1/profiles/{identifier}", key).status_code == 404
    shown = shop.ask("GET", f"/v1/erasures/{one['erasure_id']}", "privacy").json()
    assert (shown["internal"], shown["overall"], shown["regulation"]) == ("finished", "awaiting_backups", "gdpr")
    assert shown["backups"] == {"state": "pending", "safe_at": None}
    assert (shown["clock"], shown["destinations"]) == ("on_time", [])
    assert shown["destroyed"]["keys"] == 1
    assert shown["due_at"] > shown["received_at"]
    assert PLANTED not in json.dumps(shown)


def test_an_unknown_person_has_the_same_answer(shop: Shop) -> None:
    """In the same shape, with counts of zero and `found: false`."""
    shop.send({"type": "identify", "userId": "ann"})
    known, unknown = (erase(shop, f"user_id:{name}").json()["erasures"][0] for name in ("ann", "stranger"))
    assert known.keys() == unknown.keys()
    assert (known["found"], unknown["found"]) == (True, False)
    shown = shop.ask("GET", f"/v1/erasures/{unknown['erasure_id']}", "privacy").json()
    assert (shown["internal"], shown["destroyed"]["keys"], shown["destroyed"]["rows"]) == ("finished", 0, {})


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"identifiers": [f"user_id:{number}" for number in range(5_001)]}, 422, "too_many_identifiers"),
        ({"identifiers": []}, 422, "no_identifiers"),
        ({"identifiers": ["user_id:ann", "nobody"]}, 400, "bad_identifier"),
        ({"identifiers": ["user_id:ann"], "regulation": "hipaa"}, 422, "invalid_request"),
        ({"identifiers": "user_id:ann"}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
    ],
)
def test_an_invalid_request_changes_nothing(shop: Shop, wanted: dict[str, Any], status: int, code: str) -> None:
    """No identifier of it is erased."""
    shop.send({"type": "identify", "userId": "ann"})
    answer = shop.ask("POST", "/v1/erasures", "privacy", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 200
    assert shop.ask("GET", "/v1/erasures", "privacy").json()["erasures"] == []


def test_one_idempotency_key_is_one_request(shop: Shop) -> None:
    """With the same salts; another request under the key is rejected."""
    shop.send({"type": "identify", "userId": "ann"})
    first, second = (erase(shop, "user_id:ann", again="case-12").json() for _ in range(2))
    assert first == second
    other = erase(shop, "user_id:bob", again="case-12")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert erase(shop, "user_id:ann").json() != first


def test_an_identifier_named_twice_is_erased_once(shop: Shop) -> None:
    """In any spelling, with the same proof when the request is repeated."""
    named = [
        "email:ann@example.org",
        "phone:+4930901820",
        "email: ANN@Example.org",
        "phone:0049 30 901820",
        "user_id:u",
    ]
    made = erase(shop, *named, again="k1").json()
    erased = [each["identifier"] for each in made["erasures"]]
    assert erased == ["email:ann@example.org", "phone:+4930901820", "user_id:u"]
    for each in made["erasures"]:
        own = sha256(bytes.fromhex(each["salt"]) + each["identifier"].encode()).hexdigest()
        assert own == each["subject_commitment"]
    assert erase(shop, *named, again="k1").json() == made
    assert len(shop.ask("GET", "/v1/erasures", "privacy").json()["erasures"]) == len(erased)
    held = shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": named, "reason": "case 12"}).json()
    assert (held["identifiers"], held["not_found"]) == (3, 3)


def test_an_erasure_is_unknown_in_another_space(shop: Shop, other_shop: Shop) -> None:
    """It reaches nobody there either."""
    other_shop.send({"type": "identify", "userId": "ann"})
    made = erase(shop, "user_id:ann").json()["erasures"][0]
    assert other_shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 200
    for path in ("", "/receipt"):
        assert other_shop.ask("GET", f"/v1/erasures/{made['erasure_id']}{path}", "privacy").status_code == 404
    assert other_shop.ask("GET", "/v1/erasures", "privacy").json()["erasures"] == []


def test_erasures_are_listed_newest_first(shop: Shop) -> None:
    """By state, page by page."""
    ids = [erase(shop, f"user_id:u{number}").json()["erasures"][0]["erasure_id"] for number in range(3)]
    page = shop.ask("GET", "/v1/erasures?limit=2", "privacy").json()
    assert [each["erasure_id"] for each in page["erasures"]] == [ids[2], ids[1]]
    rest = shop.ask("GET", "/v1/erasures", "privacy", params={"cursor": page["next_cursor"]}).json()
    assert ([each["erasure_id"] for each in rest["erasures"]], rest["next_cursor"]) == ([ids[0]], None)
    assert shop.ask("GET", "/v1/erasures?state=on_hold", "privacy").json()["erasures"] == []
    assert shop.ask("GET", "/v1/erasures?state=nonsense", "privacy").status_code == 422


def test_extended_once(shop: Shop) -> None:
    """The law allows more time once, and none where it sets no date."""
    made = erase(shop, "user_id:ann", regulation="gdpr").json()["erasures"][0]
    path = f"/v1/erasures/{made['erasure_id']}/extend"
    later = shop.ask("POST", path, "privacy", json={"reason": "many requests"})
    assert later.json()["due_at"] > made["due_at"]
    again = shop.ask("POST", path, "privacy", json={"reason": "many requests"})
    assert (again.status_code, again.json()["code"]) == (409, "already_extended")
    free = erase(shop, "user_id:bob").json()["erasures"][0]["erasure_id"]
    assert shop.ask("POST", f"/v1/erasures/{free}/extend", "privacy", json={"reason": "x"}).status_code == 409


def test_a_receipt_verifies_offline(shop: Shop, tmp_path: Path) -> None:
    """With published keys only; before the erasure is done there is no receipt."""
    shop.send({"type": "identify", "userId": PLANTED})
    made = erase(shop, f"user_id:{PLANTED}").json()["erasures"][0]
    proof = shop.ask("GET", f"/v1/erasures/{made['erasure_id']}/receipt", "privacy")
    keys = shop.client.get("/.well-known/onefold-keys.json")
    (tmp_path / "receipt.json").write_bytes(proof.content)
    (tmp_path / "keys.json").write_bytes(keys.content)
    script = [
        str(part)
        for part in (
            sys.executable,
            ROOT / "docs" / "verify_receipt.py",
            tmp_path / "receipt.json",
            tmp_path / "keys.json",
        )
    ]
    assert subprocess.run(script, check=False, capture_output=True).returncode == 0
    assert PLANTED not in proof.text
    assert proof.json()["subject_commitment"] == made["subject_commitment"]
    shop.send({"type": "identify", "userId": "eve"})
    shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:eve"], "reason": "case 12"})
    held = erase(shop, "user_id:eve").json()["erasures"][0]
    assert held["internal"] == "on_hold"
    early = shop.ask("GET", f"/v1/erasures/{held['erasure_id']}/receipt", "privacy")
    assert (early.status_code, early.json()["code"]) == (409, "receipt_pending")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/v1/suppressions"), ("POST", "/v1/suppressions/lift")])
def test_a_suppression_is_in_force_at_once(shop: Shop, method: str, path: str) -> None:
    """So is lifting it; the list shows numbers and ages, never values."""
    named = {"identifiers": [f"user_id:{PLANTED}"]}
    call = {"type": "track", "event": "E", "userId": PLANTED}
    assert shop.ask("POST", "/v1/suppressions", "privacy", json=named).json()["suppressed"] == 1
    assert shop.send(call)[0]["status"] == "suppressed"
    write = shop.ask("POST", "/v1/track", "write", json=call)
    assert (write.status_code, write.json()) == (200, {"success": True})
    listed = shop.ask("GET", "/v1/suppressions", "privacy")
    assert (listed.json()["total"], listed.json()["by_age"]["under_1_days"]) == (1, 1)
    assert PLANTED not in listed.text
    assert shop.ask(method, path, "privacy", json=named).json()["lifted"] == 1
    assert shop.ask("GET", "/v1/suppressions", "privacy").json()["total"] == 0
    assert shop.send(call)[0]["status"] == "accepted"


def test_no_suppression_is_lifted_while_an_erasure_waits_for_a_hold(shop: Shop) -> None:
    """By any identifier of the person and on any route; a cancelled erasure lets calls in again."""
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"email": "ann@example.org"}})
    held = {"identifiers": ["user_id:ann", "user_id:later"], "reason": "case 12"}
    shop.ask("POST", "/v1/holds", "privacy", json=held)
    made = erase(shop, "user_id:ann", "user_id:later").json()
    ann, later = (each["erasure_id"] for each in made["erasures"])
    for names in (["user_id:ann"], ["email:ann@example.org"], ["user_id:bob", "anonymous_id:a1"], ["user_id:later"]):
        named = ann if names != ["user_id:later"] else later
        refused = shop.ask("POST", "/v1/suppressions/lift", "privacy", json={"identifiers": names})
        assert (refused.status_code, refused.json()["code"]) == (409, "erasure_waits")
        assert named in refused.json()["detail"]
        assert made["request_id"] in refused.json()["detail"]
        assert [each["index"] for each in refused.json()["errors"]] == [len(names) - 1]
    regulation = {"regulationType": "UNSUPPRESS", "subjectType": "USER_ID", "subjectIds": ["ann"]}
    unsuppressed = shop.ask("POST", "/v1/regulations", "privacy", json=regulation)
    assert (unsuppressed.status_code, unsuppressed.json()["errors"][0]["type"]) == (409, "erasure-waits")
    decided = {"identifier": "anonymous_id:a1", "decisions": {}, "minor": True}
    stated = shop.ask("POST", "/v1/consent", "privacy", json=decided)
    assert (stated.status_code, stated.json()["code"], ann in stated.json()["detail"]) == (409, "suppressed", True)
    assert shop.send({"type": "identify", "userId": "ann", "anonymousId": "a2"})[0]["status"] == "suppressed"
    assert shop.ask("DELETE", f"/v1/regulations/{made['request_id']}", "privacy").status_code == 200
    assert shop.send({"type": "identify", "userId": "ann"})[0]["status"] == "accepted"


def test_a_held_person_is_read_by_lawyers_only(shop: Shop) -> None:
    """And is erased when the hold ends."""
    shop.send({"type": "identify", "userId": "ann"})
    lawyer = shop.ask("POST", "/v1/keys", json={"name": "legal", "scopes": ["legal:read"]}).json()
    shop.keys["legal"] = lawyer["secret"]
    hold = shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:ann"], "reason": "case 12"}).json()
    assert erase(shop, "user_id:ann").json()["erasures"][0]["internal"] == "on_hold"
    assert shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 404
    assert shop.ask("GET", "/v1/profiles").json()["profiles"] == []
    held = shop.ask("GET", f"/v1/holds/{hold['hold_id']}/profiles", "legal").json()["profiles"]
    assert [each["identifiers"][0]["value"] for each in held] == ["ann"]
    assert shop.ask("GET", f"/v1/holds/{hold['hold_id']}/profiles", "privacy").status_code == 403
    ended = shop.ask("DELETE", f"/v1/holds/{hold['hold_id']}", "privacy").json()
    assert ended["resumed"] == 1
    assert shop.ask("GET", "/v1/holds", "privacy").json() == {"holds": []}
    assert [each["internal"] for each in shop.ask("GET", "/v1/erasures", "privacy").json()["erasures"]] == ["finished"]


def test_a_hold_keeps_its_people_from_every_other_destruction(shop: Shop, operator: dict[str, str]) -> None:
    """No part, identifier, group or space of theirs goes; after the release all of it goes."""
    shop.send({"type": "identify", "userId": "h1", "anonymousId": "ha", "traits": {"email": "h1@example.org"}})
    shop.send({"type": "group", "userId": "h1", "groupId": "hg", "traits": {"x": 1}})
    made = shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:h1"], "reason": "case"}).json()
    changes: list[tuple[str, str, str, dict[str, Any]]] = [
        ("POST", "/v1/profiles/unmerge", "privacy", {"json": {"identifiers": ["anonymous_id:ha"]}}),
        ("DELETE", "/v1/identifiers/email:h1@example.org?block=true", "admin", {}),
        ("DELETE", "/v1/groups/hg", "admin", {}),
        ("DELETE", "/v1/groups/hg/members/user_id:h1", "admin", {}),
    ]
    space, named = f"/v1/spaces/{shop.space_id}", {"confirm": shop.name}

    for method, path, key, given in changes:
        refused = shop.ask(method, path, key, **given)
        assert (refused.status_code, refused.json()["code"]) == (409, "under_hold"), path
        assert (made["hold_id"] in refused.json()["detail"]) == (key == "privacy"), path
        assert made["hold_id"] in shop.ask(method, path, "privacy", **given).json()["detail"], path
    refused = shop.client.delete(space, headers=operator, params=named)
    assert (refused.status_code, refused.json()["code"]) == (409, "under_hold")
    assert "A litigation hold keeps this data" in refused.json()["detail"]
    profile = shop.ask("GET", "/v1/profiles/anonymous_id:ha").json()
    assert (len(profile["identifiers"]), profile["groups"]) == (3, ["hg"])

    assert shop.ask("DELETE", f"/v1/holds/{made['hold_id']}", "privacy").status_code == 200
    for method, path, key, given in reversed(changes):
        assert shop.ask(method, path, key, **given).status_code == 200, path
    assert shop.client.delete(space, headers=operator, params=named).status_code == 204


@pytest.mark.parametrize("type_", ["SUPPRESS_ONLY", "UNSUPPRESS"])
def test_a_suppression_and_a_lift_are_no_erasures(shop: Shop, type_: str) -> None:
    """Nothing is destroyed, so neither is listed, read, or proved by a receipt."""
    shop.send({"type": "identify", "userId": "k"})
    asked = {"regulationType": type_, "subjectType": "USER_ID", "subjectIds": ["k"]}
    assert shop.ask("POST", "/v1/regulations", "privacy", json=asked).status_code < 300
    assert shop.ask("POST", "/v1/suppressions", "privacy", json={"identifiers": ["user_id:k"]}).status_code < 300
    assert shop.ask("POST", "/v1/suppressions/lift", "privacy", json={"identifiers": ["user_id:k"]}).status_code < 300

    assert shop.ask("GET", "/v1/erasures", "privacy").json()["erasures"] == []
