"""The document of a destination and that of the purposes: names that the space knows, and what either leaves out."""

from typing import Any

import pytest

from tests.app.conftest import PURPOSES, Shop


@pytest.fixture
def people(shop: Shop) -> Shop:
    """A space with Ann."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    return shop


def test_a_destination_names_types_that_the_space_knows(shop: Shop) -> None:
    """By its rules, before the first call; another type creates nothing."""
    document = {"purposes": [], "without_consent": True, "traits": ["email"], "identifiers": ["loyalty.card"]}
    refused = shop.ask("PUT", "/v1/destinations/shop", json=document)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_type")
    assert shop.ask("GET", "/v1/destinations").json() == {"destinations": []}
    assert shop.ask("PUT", "/v1/rules", json={"limits": {"loyalty.card": {"max": 3}}}).status_code == 200
    assert shop.ask("PUT", "/v1/destinations/shop", json=document).status_code == 201


def test_a_destination_without_consent_sees_everybody_and_is_in_the_ledger(people: Shop, rows: Any) -> None:
    """Only where both are stated; the ledger records it once, when it begins."""
    document = {"purposes": [], "without_consent": True, "traits": ["email"], "identifiers": ["user_id"]}
    made = people.ask("PUT", "/v1/destinations/bill", json=document)
    assert made.status_code == 201
    people.keys["bill"] = made.json()["secret"]
    seen = people.ask("GET", "/v1/destination/profiles/user_id:ann", "bill").json()
    assert (seen["consent"], seen["traits"]) == ("granted", {"email": "ann@example.org"})
    assert people.ask("GET", "/v1/destinations/bill").json()["without_consent"] is True
    asked = "/v1/destinations/bill/explain?identifier=user_id:ann&trait=email"
    gates = {each["gate"]: each["result"] for each in people.ask("GET", asked).json()["gates"]}
    assert gates["purposes_granted"] == "pass"
    people.ask("PUT", "/v1/destinations/bill", json={**document, "traits": ["*"]})
    noted = rows.execute(
        "SELECT count(*) FROM ledger WHERE convert_from(entry, 'UTF8') LIKE %s",
        [f"%destination.without_consent%{made.json()['destination_id']}%"],
    ).fetchone()
    assert noted[0] == 1


def test_a_destination_that_lists_nothing_is_answered_with_a_warning(people: Shop) -> None:
    """Also a change to such a document; one that lists something gets none."""
    nothing = {"purposes": [], "without_consent": True}
    listed = [
        [each["code"] for each in people.ask("PUT", "/v1/destinations/none", json=document).json().get("warnings", [])]
        for document in (nothing, {**nothing, "traits": ["email"]}, {**nothing, "traits": [], "identifiers": []})
    ]
    assert listed == [["nothing_listed"], [], ["nothing_listed"]]


def test_purposes_that_look_alike_change_nothing(people: Shop) -> None:
    """The earlier document stays in force."""
    people.ask("PUT", "/v1/purposes", json=PURPOSES)
    alike = {"purposes": [{"id": "Marketing", "class": "ads"}, {"id": "marketing ", "class": "ads"}]}
    assert people.ask("PUT", "/v1/purposes", json=alike).json()["code"] == "invalid_purposes"
    assert people.ask("GET", "/v1/purposes").json()["version"] == 1


def test_putting_purposes_names_the_destinations_that_lose_one(people: Shop) -> None:
    """The destination sees nobody until its document changes, and the answer says so."""
    people.ask("PUT", "/v1/purposes", json=PURPOSES)
    people.ask("PUT", "/v1/destinations/mail", json={"purposes": ["Marketing"], "traits": ["*"]})
    other = {"purposes": [{"id": "Product", "class": "analytics"}]}
    assert people.ask("PUT", "/v1/purposes", json=other).json() == {
        "version": 2,
        "destinations_without_purpose": ["mail"],
    }
    assert people.ask("PUT", "/v1/purposes", json=PURPOSES).json() == {"version": 3}
