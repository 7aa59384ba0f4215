"""Attacks 200 to 213: what a public write key claims about other people.

What counts is what the others get to see afterwards: their profiles, exports and erasures are as without the attack.
"""

from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest

from tests.app.conftest import Shop

ANN = {"type": "identify", "anonymousId": "phone-of-ann", "traits": {"email": "ann@shop.example", "plan": "pro"}}


def attack(shop: Shop, *calls: dict[str, Any]) -> None:
    """Calls as one batch with the key that stands in every page."""
    answer = shop.ask("POST", "/v1/batch", "write", json={"batch": calls})
    assert answer.json() == {"success": True}


def profile(shop: Shop, ref: str) -> dict[str, Any]:
    """The profile of an identifier, without the time of the last call that named one of its identifiers."""
    answer = shop.ask("GET", f"/v1/profiles/{quote(ref, safe=':')}", "profiles")
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json().items() if name != "updated_at"}


def identifiers(shop: Shop, ref: str) -> set[str]:
    """The identifiers of the profile of an identifier."""
    return {f"{each['type']}:{each['value']}" for each in profile(shop, ref)["identifiers"]}


@pytest.mark.parametrize("own", [{"userId": "mallory"}, {"anonymousId": "laptop-of-mallory"}, {}])
def test_attack_200_a_public_key_takes_over_nobody_by_an_address(shop: Shop, own: dict[str, str]) -> None:
    """The person keeps her profile with her traits; an erasure of the attacker leaves her untouched."""
    shop.send(ANN)
    before = profile(shop, "email:ann@shop.example")
    attack(shop, {"type": "identify", **own, "traits": {"email": "Ann@shop.example", "plan": "none"}})

    assert profile(shop, "email:ann@shop.example") == before
    for type_, value in own.items():
        ref = f"{'user_id' if type_ == 'userId' else 'anonymous_id'}:{value}"
        assert identifiers(shop, ref) == {ref}
        erased = shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": [ref]})
        assert erased.status_code in (200, 202), erased.text
    assert profile(shop, "email:ann@shop.example") == before


def test_attack_200_the_claim_is_listed(shop: Shop) -> None:
    """The customer sees who claimed the address, and why that links nothing."""
    shop.send(ANN)
    attack(shop, {"type": "identify", "userId": "mallory", "messageId": "m1", "traits": {"email": "ann@shop.example"}})

    (line,) = shop.ask("GET", "/v1/rejections").json()["rejections"]
    assert line["message_id"] == "m1"
    assert [(each["identifier"], each["reason"]) for each in line["demoted"]] == [
        ("email:ann@shop.example", "needs_proof")
    ]


def test_attack_201_a_public_key_glues_no_strangers_together(shop: Shop) -> None:
    """A batch that names the addresses of many people, beside one device and beside each other, joins none of them."""
    people = [f"p{nr}@shop.example" for nr in range(20)]
    shop.send(*({"type": "identify", "traits": {"email": each}} for each in people))
    calls = [{"type": "identify", "anonymousId": "glue", "traits": {"email": each}} for each in people]
    pairs = pairwise(people)
    calls += [
        {"type": "identify", "traits": {"email": one}, "context": {"traits": {"email": other}}} for one, other in pairs
    ]
    attack(shop, *calls)

    for each in people:
        assert identifiers(shop, f"email:{each}") == {f"email:{each}"}


def test_attack_202_a_public_key_uses_up_no_identifier_types(shop: Shop) -> None:
    """A server key still has room for a type of its own, after which public calls may use that type."""
    types = [f"type{nr}" for nr in range(64)]
    external = [[{"type": type_, "id": "1"} for type_ in types[at : at + 16]] for at in range(0, 64, 16)]
    attack(
        shop,
        *({"type": "track", "event": "e", "anonymousId": "a", "context": {"externalIds": each}} for each in external),
    )
    assert identifiers(shop, "anonymous_id:a") == {"anonymous_id:a"}
    summary = shop.ask("GET", "/v1/rejections").json()["rejections"][0]
    assert [(each["reason"], each["count"]) for each in summary["demoted"]] == [("type_needs_server_key", 16)]

    crm = {"externalIds": [{"type": "crm", "id": "7"}]}
    (outcome,) = shop.send({"type": "track", "event": "e", "userId": "u1", "context": crm})
    assert outcome["demoted"] == []
    attack(
        shop,
        {"type": "track", "event": "e", "anonymousId": "b", "context": {"externalIds": [{"type": "crm", "id": "8"}]}},
    )
    assert identifiers(shop, "crm:8") == {"anonymous_id:b", "crm:8"}


def test_attack_203_a_public_key_uses_up_no_message_ids(shop: Shop) -> None:
    """A call of a server is stored although a public call had its message id."""
    attack(shop, {"type": "track", "event": "e", "anonymousId": "a", "messageId": "order-1"})
    calls = [{"type": "identify", "userId": "u1", "messageId": "order-1", "traits": {"plan": "pro"}}] * 2

    assert [each["status"] for each in shop.send(*calls)] == ["accepted", "duplicate"]
    assert profile(shop, "user_id:u1")["traits"] == {"plan": "pro"}


def test_attack_204_a_rebuild_makes_no_claim_come_true(shop: Shop) -> None:
    """The class of the source is stored with the evidence, and a rebuild decides by it again."""
    shop.send(ANN)
    attack(shop, {"type": "identify", "userId": "mallory", "traits": {"email": "ann@shop.example"}})
    job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"

    assert identifiers(shop, "user_id:mallory") == {"user_id:mallory"}
    assert identifiers(shop, "email:ann@shop.example") == {"email:ann@shop.example", "anonymous_id:phone-of-ann"}


def test_attack_205_a_public_key_redirects_nobody(shop: Shop) -> None:
    """The trait of the server shows before and after a rebuild; the value of the attacker waits, and is listed."""
    attack(shop, {"type": "identify", "userId": "ann", "traits": {"phone": "+49 30 901820"}})
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example", "phone": "+49 30 901821"}})
    attack(
        shop,
        {"type": "identify", "userId": "ann", "messageId": "m1", "traits": {"email": "mallory@x.org", "plan": "free"}},
    )
    shown = {"email": "ann@shop.example", "phone": "+49 30 901821", "plan": "free"}
    assert profile(shop, "user_id:ann")["traits"] == shown

    lines = shop.ask("GET", "/v1/rejections").json()["rejections"]
    assert {line["message_id"] for line in lines} == {"m1"}
    assert [line["ignored_traits"] for line in lines if line["reason"] == "protected_trait"] == [["email"]]
    assert ["email:mallory@x.org"] in [[each["identifier"] for each in line["demoted"]] for line in lines]
    job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
    assert profile(shop, "user_id:ann")["traits"] == shown


def waiting(identifiers: list[dict[str, Any]]) -> set[str]:
    """Those of the identifiers in an answer that wait for proof."""
    return {f"{each['type']}:{each['value']}" for each in identifiers if each.get("waits_for_proof")}


def test_profiles_and_exports_name_the_identifiers_that_wait_for_proof(shop: Shop) -> None:
    """What public keys alone have linked, until a server key names it with another identifier of its profile."""
    claim = {"type": "identify", "userId": "ann", "anonymousId": "phone", "traits": {"email": "ann@shop.example"}}
    attack(shop, claim)
    page = shop.ask("GET", "/v1/profiles/user_id:ann/identifiers").json()["identifiers"]
    for answered in (profile(shop, "user_id:ann")["identifiers"], page):
        assert waiting(answered) == {"email:ann@shop.example"}
    body = {"identifiers": ["user_id:ann"], "regulation": "gdpr"}
    made = shop.ask("POST", "/v1/exports", "privacy", json=body).json()
    assert shop.ask("GET", f"/v1/exports/{made['export_id']}?wait=30", "privacy").json()["state"] == "ready"
    (exported,) = shop.ask("GET", made["download_url"], "privacy").json()["profiles"]
    assert waiting(exported["identifiers"]) == {"email:ann@shop.example"}

    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example"}})
    assert waiting(profile(shop, "user_id:ann")["identifiers"]) == set()


def test_attack_206_a_claim_of_a_public_key_stays_in_no_way_of_a_server(shop: Shop) -> None:
    """The server takes the address over; a rebuild and an erasure of the attacker find it at its person."""
    claim = {"type": "identify", "userId": "mallory", "traits": {"email": "ann@shop.example", "plan": "none"}}
    attack(shop, claim)
    order = {"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example"}}
    (outcome,) = shop.send(order)
    assert (outcome["demoted"], outcome["merged"]) == ([], [])
    attack(shop, claim)
    for _ in range(2):
        assert identifiers(shop, "email:ann@shop.example") == {"user_id:ann", "email:ann@shop.example"}
        assert identifiers(shop, "user_id:mallory") == {"user_id:mallory"}
        job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
        assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"

    path = "/v1/profiles/user_id:mallory/history"
    assert "identifier_taken_over" in [line["type"] for line in shop.ask("GET", path).json()["history"]]
    for of_mallory in ("graph", "identifiers"):
        assert shop.ask("GET", f"/v1/profiles/user_id:mallory/{of_mallory}").status_code == 200
    before = profile(shop, "email:ann@shop.example")
    shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:mallory"]})
    assert profile(shop, "email:ann@shop.example") == before


def test_the_history_names_what_was_taken_over_on_any_page(shop: Shop) -> None:
    """The call that had claimed it is on another page."""
    attack(shop, {"type": "identify", "userId": "mallory", "traits": {"email": "ann@shop.example"}})
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example"}})
    (line,) = shop.ask("GET", "/v1/profiles/user_id:mallory/history?limit=1").json()["history"]
    assert line["type"] == "identifier_taken_over"
    assert line["identifiers"] == [{"type": "email", "value": "ann@shop.example"}]


def test_attack_207_a_public_key_adds_no_address_beside_that_of_a_server(shop: Shop) -> None:
    """Neither a new one, nor one that a device of the attacker has."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example"}})
    attack(shop, {"type": "identify", "anonymousId": "laptop", "traits": {"email": "mallory@x.org"}})
    attack(shop, {"type": "identify", "userId": "ann", "anonymousId": "laptop", "traits": {"email": "other@x.org"}})
    attack(shop, {"type": "alias", "userId": "ann", "previousId": "laptop"})

    assert identifiers(shop, "user_id:ann") == {"user_id:ann", "email:ann@shop.example"}
    assert profile(shop, "user_id:ann")["traits"] == {"email": "ann@shop.example"}


def test_attack_208_no_call_takes_an_identifier_out_of_the_reach_of_a_hold(shop: Shop) -> None:
    """A claim of a person under a hold stays until the hold ends. The takeover destroys an export with the claim."""
    attack(shop, {"type": "identify", "userId": "mallory", "traits": {"email": "ann@shop.example"}})
    hold = shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:mallory"], "reason": "case"}).json()
    order = {"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example"}}
    (outcome,) = shop.send(order)
    assert outcome["demoted"] == [{"identifier": "email:ann@shop.example", "reason": "under_hold"}]
    assert identifiers(shop, "user_id:mallory") == {"user_id:mallory", "email:ann@shop.example"}

    body = {"identifiers": ["user_id:mallory"], "regulation": "gdpr"}
    export = shop.ask("POST", "/v1/exports", "privacy", json=body).json()["export_id"]
    path = f"/v1/exports/{export}?wait=30"
    assert shop.ask("GET", path, "privacy").json()["state"] == "ready"
    shop.ask("DELETE", f"/v1/holds/{hold['hold_id']}", "privacy")
    (outcome,) = shop.send(order)
    assert (outcome["demoted"], outcome["merged"]) == ([], [])
    assert identifiers(shop, "user_id:ann") == {"user_id:ann", "email:ann@shop.example"}
    assert shop.ask("GET", path, "privacy").status_code == 404


def test_attack_212_a_public_key_uses_up_no_room_of_a_server(shop: Shop) -> None:
    """2,000 traits of a browser keep out neither the traits of a server nor its membership; a rebuild agrees."""
    for at in range(0, 2_000, 100):
        junk = {f"junk{nr}": nr for nr in range(at, at + 100)}
        attack(shop, {"type": "identify", "userId": "ann", "traits": junk})
    known, joined = shop.send(
        {"type": "identify", "userId": "ann", "traits": {"plan": "pro", "credit": "good"}},
        {"type": "group", "userId": "ann", "groupId": "acme", "traits": {"name": "ACME"}},
    )
    assert known["ignored_traits"] == joined["ignored_traits"] == []
    attack(shop, {"type": "identify", "userId": "ann", "traits": {"more": "junk"}})
    for _ in range(2):
        found = profile(shop, "user_id:ann")
        assert (found["traits"]["plan"], found["traits"]["credit"], found["groups"]) == ("pro", "good", ["acme"])
        assert "more" not in found["traits"]
        job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
        assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
