"""Access exports over HTTP: everything held, fetched once, and gone with whom it is about."""

import csv
import io
import json
import time
from typing import Any

import httpx
import psycopg

from tests.app.conftest import AUDIT, Shop
from tests.support.privacy.opendsr_requests import request

FORMULA = "=cmd|'/c calc'!A1"
CALLS = 450


def export(shop: Shop, *identifiers: str, **headers: str) -> dict[str, Any]:
    """An export that was asked for and is ready."""
    asked = shop.ask("POST", "/v1/exports", "privacy", json={"identifiers": list(identifiers)}, headers=headers)
    assert asked.status_code == 202, asked.text
    made: dict[str, Any] = asked.json()
    shown = shop.ask("GET", f"/v1/exports/{made['export_id']}?wait=30", "privacy").json()
    assert shown["state"] == "ready", shown
    assert shown["done"] == shown["total"]
    return made


def fetch(shop: Shop, made: dict[str, Any], form: str = "json") -> httpx.Response:
    """The answer to its address."""
    return shop.ask("GET", f"{made['download_url']}&format={form}", "privacy")


def people(shop: Shop) -> None:
    """Ann, in two parts that met; Bob, who is somebody else."""
    consent = {"consent": {"categoryPreferences": {"Ads": True}}}
    shop.send({"type": "track", "event": "Seen", "anonymousId": "a1", "properties": {"page": "/ann"}})
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "free", "odd": FORMULA}, "context": consent})
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"plan": "paid"}})
    shop.send({"type": "group", "userId": "ann", "groupId": "g1"})
    shop.send({"type": "identify", "userId": "bob", "traits": {"plan": "bobs-own"}})


def test_an_export_has_everything_of_the_person_and_nothing_else(shop: Shop) -> None:
    """Each item names its source."""
    people(shop)
    shop.send(*({"type": "track", "event": f"E{number}", "userId": "ann"} for number in range(CALLS)))
    made = export(shop, "anonymous_id:a1", "user_id:nobody")
    assert made["unknown"] == ["user_id:nobody"]
    fetched = fetch(shop, made)
    assert fetched.headers["content-type"] == "application/json"
    document = fetched.json()
    assert document["export"]["export_id"] == made["export_id"]
    (ann,) = document["profiles"]
    shown = shop.ask("GET", "/v1/profiles/user_id:ann", "profiles").json()
    assert ann["profile"] == [shown]
    assert {(each["type"], each["value"]) for each in ann["identifiers"]} == {
        ("user_id", "ann"),
        ("anonymous_id", "a1"),
    }
    ids = {shown["profile_id"], *shown["merged_from"]}
    assert len(ids) == 2
    assert {each["profile_id"] for each in ann["identifiers"]} == ids
    plans = {(each["value"], each["current"]) for each in ann["traits"] if each["name"] == "plan"}
    assert ("paid", True) in plans
    assert all(each["message_id"] for each in ann["traits"])
    assert [(each["category"], each["value"]) for each in ann["consent"]] == [("Ads", True)]
    assert [(each["category"], each["value"], each["source"][:4]) for each in ann["consent_history"]] == [
        ("Ads", True, "key_")
    ]
    assert [each["group_id"] for each in ann["groups"]] == ["g1"]
    assert {"merged", "created"} <= {each["type"] for each in ann["history"]}
    bodies = [each["body"] for each in ann["calls"]]
    assert len(bodies) == CALLS + 4
    assert {each.get("event") for each in bodies} >= {"Seen", *(f"E{number}" for number in range(CALLS))}
    assert "bobs-own" not in fetched.text
    assert ann["disclosures"] == []


def test_an_export_is_downloaded_once(shop: Shop) -> None:
    """With its ticket and a key of the space; it is gone then."""
    people(shop)
    made = export(shop, "user_id:ann")
    base = made["download_url"].partition("?")[0]
    for wrong in (f"{base}?ticket=guess", f"{base}?ticket="):
        assert shop.ask("GET", wrong, "privacy").status_code == 404
    assert shop.ask("GET", base, "privacy").status_code == 404
    assert shop.ask("GET", made["download_url"], "admin").status_code == 403
    assert fetch(shop, made).status_code == 200
    again = fetch(shop, made)
    assert (again.status_code, again.json()["code"]) == (404, "export_not_found")
    assert shop.ask("GET", f"/v1/exports/{made['export_id']}", "privacy").status_code == 404


def test_an_export_is_unknown_in_another_space(shop: Shop, other_shop: Shop) -> None:
    """With or without the ticket, and it stays as it is."""
    people(shop)
    made = export(shop, "user_id:ann")
    assert fetch(other_shop, made).status_code == 404
    assert other_shop.ask("GET", f"/v1/exports/{made['export_id']}", "privacy").status_code == 404
    assert fetch(shop, made).status_code == 200


def test_a_table_has_every_item_and_no_formula(shop: Shop) -> None:
    """No cell is run by a spreadsheet."""
    people(shop)
    shop.send({"type": "identify", "userId": "ann", "traits": {"@name": "+1", "list": ["=1"], "-n": -1}})
    fetched = fetch(shop, export(shop, "user_id:ann"), "csv")
    assert fetched.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(fetched.text)))
    assert rows[0] == ["profile", "section", "origin", "name", "value", "at", "details"]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    traits = {row[3]: row for row in rows if row[1] == "traits"}
    assert traits["odd"][4] == "'" + FORMULA
    assert json.loads(traits["odd"][6])["value"] == FORMULA
    assert (traits["'@name"][4], traits["list"][4], traits["'-n"][4]) == ("'+1", '["=1"]', "'-1")


def test_an_export_of_nobody_is_empty(shop: Shop) -> None:
    """In either form."""
    for form in ("json", "csv"):
        made = export(shop, "user_id:nobody")
        fetched = fetch(shop, made, form)
        assert fetched.status_code == 200
        assert form == "csv" or fetched.json()["profiles"] == []


def test_one_idempotency_key_is_one_export(shop: Shop, rows: psycopg.Connection[Any]) -> None:
    """Another request under the same key is rejected."""
    people(shop)
    first, second = (export(shop, "user_id:ann", **{"Idempotency-Key": "case-1"}) for _ in range(2))
    assert first["download_url"] == second["download_url"]
    other = {"json": {"identifiers": ["user_id:bob"]}, "headers": {"Idempotency-Key": "case-1"}}
    refused = shop.ask("POST", "/v1/exports", "privacy", **other)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_conflict")
    rows.execute("DELETE FROM job WHERE job_id = %s", [first["job_id"].removeprefix("job_")])
    again = {"json": {"identifiers": ["user_id:ann"]}, "headers": {"Idempotency-Key": "case-1"}}
    late = shop.ask("POST", "/v1/exports", "privacy", **again)
    assert (late.status_code, late.json()["state"]) == (202, "done")
    assert late.json()["export_id"] == first["export_id"]


def test_an_erasure_destroys_the_exports_that_hold_the_person(shop: Shop) -> None:
    """And no other export; the erasure counts them."""
    people(shop)
    anns, bobs = export(shop, "user_id:ann"), export(shop, "user_id:bob")
    both = export(shop, "user_id:bob", "anonymous_id:a1")
    (one,) = shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:ann"]}).json()["erasures"]
    assert [fetch(shop, each).status_code for each in (anns, both, bobs)] == [404, 404, 200]
    receipt = shop.ask("GET", f"/v1/erasures/{one['erasure_id']}/receipt", "privacy").json()
    assert receipt["exports_destroyed"] == 2


def test_an_unmerge_destroys_the_export(shop: Shop) -> None:
    """The export may be about the other person."""
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"plan": "paid"}})
    made = export(shop, "user_id:ann")
    parted = shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": ["anonymous_id:a1"]})
    assert parted.status_code == 200
    assert fetch(shop, made).status_code == 404


def test_an_unmerge_without_a_split_destroys_the_export(shop: Shop) -> None:
    """From then on each side has its own data only."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "of-ann"}})
    shop.send({"type": "identify", "anonymousId": "a1", "traits": {"theme": "of-a1"}})
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1"})
    made = export(shop, "user_id:ann")
    parted = shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": ["anonymous_id:a1"]})
    assert parted.status_code == 200
    assert fetch(shop, made).status_code == 404
    sides = {ref: fetch(shop, export(shop, ref)).text for ref in ("user_id:ann", "anonymous_id:a1")}
    for ref, own, others in (("user_id:ann", "of-ann", "of-a1"), ("anonymous_id:a1", "of-a1", "of-ann")):
        assert (own in sides[ref], others in sides[ref]) == (True, False)


def test_a_removed_identifier_destroys_the_export(shop: Shop) -> None:
    """An export with that identifier is gone."""
    people(shop)
    made = export(shop, "user_id:ann")
    assert shop.ask("DELETE", "/v1/identifiers/anonymous_id:a1").status_code == 200
    assert fetch(shop, made).status_code == 404


def test_a_person_on_hold_is_not_downloaded(shop: Shop) -> None:
    """Also when the export was built before the hold."""
    people(shop)
    made = export(shop, "user_id:ann")
    shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:ann"], "reason": "case"})
    shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["anonymous_id:a1"]})
    assert fetch(shop, made).status_code == 404


def test_a_head_request_does_not_use_up_the_ticket(shop: Shop) -> None:
    """Previews of links send such requests."""
    people(shop)
    made = export(shop, "user_id:ann")
    looked = shop.ask("HEAD", made["download_url"], "privacy")
    assert (looked.status_code, looked.headers["allow"]) == (405, "GET")
    assert fetch(shop, made).status_code == 200


def test_a_person_named_twice_is_exported_once(shop: Shop) -> None:
    """Each item names its origin, calls and decisions too."""
    people(shop)
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    (ann,) = fetch(shop, export(shop, "user_id:ann", "email:Ann@example.org", "anonymous_id:a1")).json()["profiles"]
    ids = {ann["profile"][0]["profile_id"], *ann["profile"][0]["merged_from"]}
    for section in ("identifiers", "traits", "consent", "consent_history", "groups", "sightings", "history", "calls"):
        assert ann[section]
        assert {each["profile_id"] for each in ann[section]} <= ids, section
    assert {each["profile_id"] for each in ann["calls"]} == ids


def test_every_decision_is_exported_with_its_evidence(shop: Shop) -> None:
    """Decisions on behalf of a person, and denials of everything, too."""
    shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": "Ads", "class": "ads"}]})
    nothing: dict[str, Any] = {"consent": {"categoryPreferences": {}}}
    shop.send({"type": "identify", "userId": "ann", "context": nothing})
    decision = {"identifier": "user_id:ann", "decisions": {"Ads": True}, "evidence": {"form": "paper"}}
    recorded = shop.ask("POST", "/v1/consent", "privacy", json=decision)
    assert recorded.status_code == 200, recorded.text
    (ann,) = fetch(shop, export(shop, "user_id:ann")).json()["profiles"]
    decided = [(each["category"], each["value"], each["type"]) for each in ann["consent_history"]]
    assert decided == [("*", False, "identify"), ("Ads", True, "consent")]
    assert ann["consent_history"][1]["evidence"] == {"form": "paper"}
    assert [each["type"] for each in ann["calls"]] == ["identify", "consent"]


def test_identifiers_not_linked_are_exported_with_the_reason(shop: Shop) -> None:
    """With the call that named them."""
    shop.ask("PUT", "/v1/rules", json={"limits": {"email": {"max": 1}}})
    for number in range(2):
        shop.send({"type": "identify", "userId": "ann", "traits": {"email": f"ann{number}@example.org"}})
    (ann,) = fetch(shop, export(shop, "user_id:ann")).json()["profiles"]
    (line,) = [each for each in ann["history"] if each["type"] == "identifiers_demoted"]
    assert line["identifiers"] == [{"type": "email", "value": "ann1@example.org", "reason": "limit:email"}]
    assert [call["body"]["traits"]["email"] for call in ann["calls"]] == ["ann0@example.org", "ann1@example.org"]


def test_a_person_on_hold_is_counted_and_not_exported(shop: Shop) -> None:
    """Once, by whatever identifiers, so that nobody hands out an export without the person as whole."""
    people(shop)
    shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:ann"], "reason": "case"})
    shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:ann"]})
    made = export(shop, "user_id:ann", "anonymous_id:a1", "user_id:bob", **{"Idempotency-Key": "held"})
    assert (made["found"], made["on_hold"]) == (True, 1)
    again = {"identifiers": ["user_id:ann", "anonymous_id:a1", "user_id:bob"]}
    headers = {"Idempotency-Key": "held"}
    assert shop.ask("POST", "/v1/exports", "privacy", json=again, headers=headers).json()["on_hold"] == 1
    shown = shop.ask("GET", f"/v1/exports/{made['export_id']}", "privacy").json()
    (listed,) = shop.ask("GET", "/v1/exports", "privacy").json()["exports"]
    assert (shown["on_hold"], listed["on_hold"]) == (1, 1)
    document = fetch(shop, made).json()
    assert document["export"]["on_hold"] == 1
    assert [each["traits"][0]["value"] for each in document["profiles"]] == ["bobs-own"]
    free = export(shop, "user_id:bob")
    assert (free["on_hold"], '"on_hold":0' in fetch(shop, free).text) == (0, True)
    wanted = request(
        subject_request_type="access",
        subject_identities=[
            {"identity_type": "controller_customer_id", "identity_value": "ann", "identity_format": "raw"}
        ],
    )
    shop.ask("POST", "/opendsr/v1/requests", "privacy", json=wanted)
    place = f"/opendsr/v1/requests/{wanted['subject_request_id']}"
    assert shop.ask("GET", place, "privacy").json()["on_hold"] == 1


def test_request_and_download_are_in_the_ledger(shop: Shop, rows: psycopg.Connection[Any]) -> None:
    """With the key that did it, without the person."""
    people(shop)
    made = export(shop, "user_id:ann")
    fetch(shop, made)
    found = rows.execute(f"SELECT action FROM {AUDIT} AS l WHERE subject = %s ORDER BY action", [made["export_id"]])
    assert [action for (action,) in found] == ["export", "export.fetch"]


def test_access_by_opendsr_ends_with_a_download_address(shop: Shop) -> None:
    """So does portability; the address downloads once."""
    people(shop)
    for kind in ("access", "portability"):
        identities = [{"identity_type": "controller_customer_id", "identity_value": "ann", "identity_format": "raw"}]
        wanted = request(subject_request_type=kind, subject_identities=identities)
        place = f"/opendsr/v1/opendsr_requests/{wanted['subject_request_id']}"
        for _ in range(2):
            assert shop.ask("POST", "/opendsr/v1/opendsr_requests", "privacy", json=wanted).status_code == 201
        until = time.monotonic() + 30
        while (shown := shop.ask("GET", place, "privacy").json())["request_status"] == "in_progress":
            assert time.monotonic() < until
            time.sleep(0.1)
        late = shop.ask("DELETE", place, "privacy")
        assert (late.status_code, late.json()["error"]["errors"][0]["reason"]) == (409, "request_begun")
        download = shop.ask("GET", shown["results_url"], "privacy")
        assert download.json()["profiles"][0]["profile"][0]["traits"]["plan"] == "paid"
        shown = shop.ask("GET", place, "privacy").json()
        assert (shown["request_status"], shown["results_url"]) == ("completed", None)
