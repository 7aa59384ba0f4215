"""A request about an identifier that nobody has is carried out, and its answers say that nobody was found."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import PURPOSES, Shop
from tests.conftest import ROOT

CARD = {"type": "loyalty.card", "id": "7", "collection": "users", "encoding": "none"}
DSR_ID = "a7551968-d5d6-44b2-9831-815ac9017798"


@pytest.fixture
def people(shop: Shop) -> Shop:
    """A space with Ann, who has two identifiers and a card."""
    shop.send(
        {
            "type": "identify",
            "userId": "ann",
            "traits": {"email": "ann@example.org"},
            "context": {"externalIds": [CARD]},
        }
    )
    return shop


def ask(shop: Shop, path: str, document: Any, method: str = "POST") -> Any:
    """The answer to a privacy request that is accepted."""
    answer = shop.ask(method, path, "privacy", json=document)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


def get(shop: Shop, path: str) -> Any:
    """The answer to a privacy read."""
    return shop.ask("GET", path, "privacy").json()


def test_each_erasure_of_a_request_says_whether_anybody_had_its_identifier(people: Shop) -> None:
    """Also a second identifier of a person whom the request erased already; one that is named twice is one erasure."""
    named = ["user_id:ann", "user_id:nobody", "email:ann@example.org", "user_id:nobody", "loyalty.card:7"]
    made = ask(people, "/v1/erasures", {"identifiers": named})
    assert [each["found"] for each in made["erasures"]] == [True, False, True, True]
    assert made["found"] is False
    for each in made["erasures"]:
        path = f"/v1/erasures/{each['erasure_id']}"
        assert get(people, path)["found"] is each["found"]
        assert get(people, f"{path}/receipt")["found"] is each["found"]
    listed = {each["erasure_id"]: each["found"] for each in get(people, "/v1/erasures")["erasures"]}
    assert listed == {each["erasure_id"]: each["found"] for each in made["erasures"]}


def test_an_erasure_of_nobody_is_suppressed_as_asked(people: Shop) -> None:
    """A person who appears later with the identifier stays out, unless the request did not ask for that."""
    ask(people, "/v1/erasures", {"identifiers": ["user_id:later"]})
    ask(people, "/v1/erasures", {"identifiers": ["user_id:free"], "suppress": False})
    call = {"type": "track", "event": "E"}
    outcomes = people.send({**call, "userId": "later"}, {**call, "userId": "free"})
    assert [each["status"] for each in outcomes] == ["suppressed", "accepted"]


def test_an_erasure_that_waits_for_a_hold_was_found(people: Shop) -> None:
    """And still is when the hold ends; one of nobody is not."""
    held = ask(people, "/v1/holds", {"identifiers": ["user_id:ann", "user_id:nobody"], "reason": "case"})
    made = ask(people, "/v1/erasures", {"identifiers": ["email:ann@example.org", "user_id:nobody"]})
    assert [(each["internal"], each["found"]) for each in made["erasures"]] == [("on_hold", True), ("on_hold", False)]
    people.ask("DELETE", f"/v1/holds/{held['hold_id']}", "privacy")
    shown = [get(people, f"/v1/erasures/{each['erasure_id']}") for each in made["erasures"]]
    assert [(each["internal"], each["found"]) for each in shown] == [("finished", True), ("finished", False)]


def test_a_receipt_of_an_erasure_of_nobody_verifies_and_says_so(people: Shop, tmp_path: Path) -> None:
    """The signature covers it: a receipt that claims the opposite is not valid."""
    made = ask(people, "/v1/erasures", {"identifiers": ["user_id:nobody"]})["erasures"][0]
    receipt = get(people, f"/v1/erasures/{made['erasure_id']}/receipt")
    (tmp_path / "keys.json").write_bytes(people.client.get("/.well-known/onefold-keys.json").content)
    checked = verified(tmp_path, receipt)
    assert checked.returncode == 0
    assert "nobody had this identifier" in checked.stdout
    assert (receipt["v"], receipt["found"]) == (2, False)
    assert verified(tmp_path, receipt | {"found": True}).returncode != 0


def verified(folder: Path, receipt: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """The run of the script of the documentation over a receipt."""
    (folder / "receipt.json").write_text(json.dumps(receipt))
    script = [sys.executable, ROOT / "docs" / "verify_receipt.py", folder / "receipt.json", folder / "keys.json"]
    return subprocess.run(list(map(str, script)), check=False, capture_output=True, text=True)


def test_a_hold_names_the_people_that_it_covers_now(people: Shop) -> None:
    """As counts and ids; somebody who appears later is covered from then on."""
    named = ["user_id:ann", "email:ann@example.org", "user_id:later"]
    made = ask(people, "/v1/holds", {"identifiers": named, "reason": "case"})
    ann = people.ask("GET", "/v1/profiles/user_id:ann").json()["profile_id"]
    assert (made["found"], made["unknown"], made["not_found"]) == (False, ["user_id:later"], 1)
    assert (made["identifiers"], made["profiles"], made["profile_ids"]) == (3, 1, [ann])
    people.send({"type": "track", "event": "E", "userId": "later"})
    shown = get(people, f"/v1/holds/{made['hold_id']}")
    assert (shown["found"], shown["not_found"], shown["profiles"]) == (True, 0, 2)
    assert shown == get(people, "/v1/holds")["holds"][0]
    assert people.ask("GET", "/v1/holds/hld_nobody", "privacy").json()["code"] == "hold_not_found"


def test_a_consent_of_nobody_is_recorded_and_says_so(people: Shop) -> None:
    """A denial holds for the person who appears later."""
    assert people.ask("PUT", "/v1/purposes", json=PURPOSES).status_code == 200
    decided = {"decisions": {"Marketing": False}}
    assert ask(people, "/v1/consent", {"identifier": "user_id:ann", **decided})["found"] is True
    assert ask(people, "/v1/consent", {"identifier": "user_id:later", **decided})["found"] is False
    assert ask(people, "/v1/consent", {"identifier": "user_id:later", **decided})["found"] is True
    grant = {"consent": {"categoryPreferences": {"Marketing": True}}}
    call = {"event": "E", "userId": "later", "context": grant}
    assert people.ask("POST", "/v1/track", "write", json=call).status_code == 200
    assert get(people, "/v1/consent/user_id:later")["purposes"]["Marketing"]["granted"] is False


def test_an_export_says_who_was_not_found_and_is_listed(people: Shop) -> None:
    """At once, at its status and in the list, newest first, page by page."""
    one = ask(people, "/v1/exports", {"identifiers": ["user_id:ann"]})
    two = ask(people, "/v1/exports", {"identifiers": ["user_id:ann", "user_id:nobody"]})
    assert (one["found"], one["unknown"]) == (True, [])
    assert (two["found"], two["unknown"]) == (False, ["user_id:nobody"])
    status = get(people, f"/v1/exports/{two['export_id']}?wait=30")
    assert (status["state"], status["found"], status["identifiers"], status["not_found"]) == ("ready", False, 2, 1)
    first = get(people, "/v1/exports?limit=1")
    assert [each["export_id"] for each in first["exports"]] == [two["export_id"]]
    rest = people.ask("GET", "/v1/exports", "privacy", params={"cursor": first["next_cursor"]}).json()
    assert [(each["export_id"], each["found"]) for each in rest["exports"]] == [(one["export_id"], True)]
    assert rest["next_cursor"] is None
    assert people.ask("GET", "/v1/exports?cursor=x", "privacy").json()["code"] == "bad_cursor"
    assert people.ask("GET", "/v1/exports", "admin").status_code == 403
    people.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:ann"]})
    assert get(people, "/v1/exports") == {"exports": [], "next_cursor": None}


def test_exports_of_another_space_are_not_listed(people: Shop, other_shop: Shop) -> None:
    """Each space has a list of its own."""
    ask(people, "/v1/exports", {"identifiers": ["user_id:ann"]})
    assert get(other_shop, "/v1/exports")["exports"] == []


def test_suppressing_and_lifting_say_what_was_not_found(people: Shop) -> None:
    """Nobody has a suppressed identifier; a lifted one was not suppressed."""
    named = {"identifiers": ["user_id:ann", "user_id:nobody"]}
    made = ask(people, "/v1/suppressions", named)
    assert (made["suppressed"], made["found"], made["unknown"]) == (2, False, ["user_id:nobody"])
    lifted = ask(people, "/v1/suppressions/lift", {"identifiers": [*named["identifiers"], "user_id:other"]})
    assert (lifted["lifted"], lifted["found"], lifted["unknown"]) == (2, False, ["user_id:other"])
    assert ask(people, "/v1/suppressions", named, "DELETE")["lifted"] == 0


@pytest.mark.parametrize("type_", ["SUPPRESS_WITH_DELETE", "DELETE_ONLY", "SUPPRESS_ONLY", "DELETE_INTERNAL"])
def test_a_regulation_says_which_subjects_nobody_had(people: Shop, type_: str) -> None:
    """In the answer, in its status by subject, and in the list."""
    wanted = {"regulationType": type_, "subjectType": "USER_ID", "subjectIds": ["ann", "nobody"]}
    made = ask(people, "/v1/regulations", wanted)["data"]
    assert (made["found"], made["notFound"]) == (False, [1])
    shown = get(people, f"/v1/regulations/{made['regulateId']}")["data"]["regulation"]
    assert (shown["found"], [each["found"] for each in shown["streamStatus"]]) == (False, [True, False])
    assert get(people, "/v1/regulations")["data"]["regulations"][0]["found"] is False


def test_an_identifier_that_is_named_twice_counts_once(people: Shop) -> None:
    """In a suppression, in its lift and in an export, in any spelling of the value."""
    named = {"identifiers": ["email:ann@example.org", "email:Ann@Example.org ", "email:ann@example.org"]}
    assert ask(people, "/v1/suppressions", named)["suppressed"] == 1
    assert ask(people, "/v1/suppressions/lift", named)["lifted"] == 1
    made = ask(people, "/v1/exports", {"identifiers": [*named["identifiers"], "user_id:nobody", "user_id:nobody"]})
    assert made["unknown"] == ["user_id:nobody"]
    status = get(people, f"/v1/exports/{made['export_id']}")
    assert (status["identifiers"], status["not_found"]) == (2, 1)


def test_a_regulation_hints_at_the_type_that_was_meant(people: Shop) -> None:
    """As an erasure does, where a call brought a type that is like a built-in one."""
    slip = {"type": "userid", "id": "ann", "collection": "users", "encoding": "none"}
    people.send({"type": "track", "event": "E", "userId": "bob", "context": {"externalIds": [slip]}})
    for subject_type, hints in (("USERID", True), ("USER_ID", False)):
        wanted = {"regulationType": "DELETE_ONLY", "subjectType": subject_type, "subjectIds": ["nobody"]}
        hint = ask(people, "/v1/regulations", wanted)["data"]["hint"]
        assert (hint is not None and "user_id" in hint) == hints


@pytest.mark.parametrize("spelling", ["EMAIL", "email", "USER_ID", "user_id", "loyalty.card", "LOYALTY.CARD"])
def test_a_regulation_takes_every_type_that_the_space_knows(people: Shop, spelling: str) -> None:
    """In capitals as Segment writes them, and custom types after their first call; other fields are ignored."""
    wanted = {"regulationType": "DELETE_ONLY", "subjectType": spelling, "subjectIds": ["x@example.org"], "more": 1}
    assert ask(people, "/v1/regulations", wanted)["data"]["found"] is False


@pytest.mark.parametrize("kind", ["erasure", "access"])
@pytest.mark.parametrize(("value", "found"), [("ann@example.org", True), ("nobody@example.org", False)])
def test_an_opendsr_request_and_its_status_say_whether_anybody_was_found(
    people: Shop, kind: str, value: str, *, found: bool
) -> None:
    """For erasures and for access requests."""
    identity = {"identity_type": "email", "identity_value": value, "identity_format": "raw"}
    request = {
        "subject_request_id": DSR_ID,
        "subject_request_type": kind,
        "submitted_time": "2026-01-02T15:00:00Z",
        "subject_identities": [identity],
        "extensions": {"a.example": {}},
    }
    assert ask(people, "/opendsr/v1/opendsr_requests", request)["found"] is found
    assert get(people, f"/opendsr/v1/opendsr_requests/{DSR_ID}")["found"] is found


def test_a_type_that_only_the_rules_name_is_known(shop: Shop) -> None:
    """So a person can be suppressed by a custom type before the first call with it."""
    named = {"identifiers": ["loyalty.card:7"]}
    assert shop.ask("POST", "/v1/suppressions", "privacy", json=named).json()["code"] == "unknown_type"
    assert shop.ask("PUT", "/v1/rules", json={"limits": {"loyalty.card": {"max": 3}}}).status_code == 200
    assert ask(shop, "/v1/suppressions", named)["found"] is False
    call = {"type": "track", "event": "E", "context": {"externalIds": [CARD]}}
    assert shop.send(call)[0]["status"] == "suppressed"


def test_where_nobody_is_found_a_type_like_a_built_in_one_is_hinted(people: Shop) -> None:
    """A call with a slip makes its type known; the hint names the type that was meant."""
    slip = {"type": "userid", "id": "bob", "collection": "users", "encoding": "none"}
    people.send({"type": "track", "event": "E", "userId": "bob", "context": {"externalIds": [slip]}})
    named, meant = {"identifiers": ["userid:ann"]}, "Did you mean user_id:...?"

    made = ask(people, "/v1/erasures", named)["erasures"][0]
    hints = {
        "erasure": made["hint"],
        "its status": get(people, f"/v1/erasures/{made['erasure_id']}")["hint"],
        "hold": ask(people, "/v1/holds", {**named, "reason": "case"})["hint"],
        "export": ask(people, "/v1/exports", named)["hint"],
        "suppression": ask(people, "/v1/suppressions", named)["hint"],
        "consent": ask(people, "/v1/consent", {"identifier": "userid:carl", "minor": True})["hint"],
    }
    for path in ("/v1/profiles/userid:ann", "/v1/profiles/userid:ann/history", "/v1/consent/userid:ann"):
        answer = people.ask("GET", path, "privacy")
        assert (answer.status_code, answer.json()["code"]) == (404, "profile_not_found")
        hints[path] = answer.json()["detail"]
    assert [name for name, hint in hints.items() if meant not in hint] == []


def test_no_type_is_hinted_where_somebody_is_found(people: Shop) -> None:
    """Nor for a type of its own."""
    for identifier, found in (("user_id:ann", True), ("user_id:nobody", False), ("loyalty.card:8", False)):
        made = ask(people, "/v1/suppressions", {"identifiers": [identifier]})
        assert (made["found"], made["hint"]) == (found, None)
