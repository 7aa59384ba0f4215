"""Why a destination lacks a trait, over HTTP: every gate stops somebody, and none says a value."""

from typing import Any

import psycopg
import pytest

from tests.app.conftest import AUDIT, Shop, Suppress
from tests.support.destinations.destination_feed import MAIL, PURPOSES, Feed, statement

ANN = "email:ann@example.org"
TRAITS = {"plan": "topsecret", "email": "ann@example.org"}


class Asked:
    """The gates of one question, by name."""

    def __init__(self, shop: Shop, ref: str = ANN, trait: str = "plan", name: str = "mail") -> None:
        asked = {"identifier": ref, "trait": trait}
        answer = shop.ask("GET", f"/v1/destinations/{name}/explain", params=asked)
        assert answer.status_code == 200, answer.text
        # The answer has neither the value of the trait nor that of the identifier.
        assert "topsecret" not in answer.text
        assert ref.partition(":")[2] not in answer.text
        self.made = answer.json()
        self.gates = {gate["gate"]: gate for gate in self.made["gates"]}

    @property
    def stopped(self) -> tuple[str | None, str | None]:
        """Where it stopped, and why."""
        at = self.made["stopped_at"]
        return at, None if at is None else self.gates[at]["reason"]


@pytest.fixture
def mail(shop: Shop) -> Feed:
    """A destination of a space with purposes."""
    shop.ask("PUT", "/v1/purposes", json=PURPOSES)
    return Feed(shop)


def test_the_gates_open_from_received_to_delivered(shop: Shop, mail: Feed) -> None:
    """And close when consent is withdrawn."""
    assert Asked(shop).stopped == ("received", "not_received")
    shop.send(statement({"Marketing": True}, userId="ann", anonymousId="a1", traits=TRAITS, messageId="m-1"))
    asked = Asked(shop)
    assert asked.stopped == ("delivered_at_cursor", "not_pulled")
    assert "message m-1" in asked.gates["trait_present"]["detail"]
    assert asked.gates["purposes_granted"]["purposes"]["Marketing"]["reason"] == "granted"
    mail.pull()
    assert Asked(shop).stopped == ("delivered_at_cursor", "never_acknowledged")
    mail.ack()
    assert Asked(shop).stopped == (None, None)

    shop.send(statement(userId="ann", traits={"plan": "topsecret too"}))
    assert Asked(shop).stopped == ("delivered_at_cursor", "told")
    mail.pull()
    mail.ack()
    shop.ask("POST", "/v1/consent", "privacy", json={"identifier": ANN, "decisions": {"Marketing": False}})
    asked = Asked(shop)
    assert asked.stopped == ("purposes_granted", "refused")
    assert "Marketing (denied)" in asked.gates["purposes_granted"]["detail"]
    assert asked.gates["delivered_at_cursor"]["reason"] == "withdrawal_waiting"
    mail.pull()
    mail.ack()
    assert Asked(shop).gates["delivered_at_cursor"]["reason"] == "withdrawal_acknowledged"
    shop.ask("PUT", "/v1/destinations/mail", json={**MAIL, "traits": ["name"]})
    asked = Asked(shop)
    assert asked.gates["in_allow_list"]["reason"] == "off_list"
    assert asked.gates["delivered_at_cursor"]["result"] == "fail"


def test_a_merged_person_is_judged_where_the_trait_is(shop: Shop, mail: Feed) -> None:
    """The answer names the profile they are now."""
    assert mail.cursor is None
    one = shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "topsecret"}))[0]["profile_id"]
    two = shop.send(statement({"Marketing": False}, anonymousId="device-1", traits={"name": "topsecret"}))[0][
        "profile_id"
    ]
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "device-1"})
    asked = Asked(shop, "anonymous_id:device-1", "name")
    assert asked.made["profile_id"] == one
    merged = asked.gates["merged"]
    assert (merged["reason"], two in merged["detail"], one in merged["detail"]) == ("merged", True, True)
    assert asked.gates["purposes_granted"]["purposes"]["Marketing"]["reason"] == "conflict"


def test_each_gate_names_its_reason(shop: Shop, mail: Feed, suppress: Suppress) -> None:
    """The gates after it are judged as far as possible."""
    assert mail.made["destination_id"]
    shop.send(statement({"Marketing": True}, userId="ann", traits={**TRAITS, "salary": "topsecret"}))
    assert Asked(shop, trait="salary").stopped == ("in_allow_list", "off_list")
    assert Asked(shop, trait="name").stopped == ("trait_present", "never_set")
    shop.send(statement(userId="ann", traits={"plan": None}))
    assert Asked(shop).stopped == ("trait_present", "taken_away")
    assert Asked(shop, "user_id:undefined").gates["identified"]["reason"] == "blocked"
    assert Asked(shop, "email:no address").stopped == ("received", "unusable")
    assert Asked(shop, "email:no address").gates["validated"]["reason"] == "unusable"
    # A second user id is demoted: the call that named it was taken without it.
    shop.send({"type": "identify", "userId": "eve", "traits": {"email": "eve@example.org"}})
    rules = {"limits": {"email": {"max": 1}}}
    shop.ask("PUT", "/v1/rules", json=rules)
    shop.send({"type": "identify", "userId": "eve", "traits": {"email": "eve2@example.org"}})
    asked = Asked(shop, "email:eve2@example.org")
    assert (asked.gates["received"]["reason"], asked.stopped) == ("demoted", ("identified", "demoted"))
    assert shop.ask("DELETE", "/v1/identifiers/email:eve@example.org", "privacy").status_code in (200, 204)
    assert Asked(shop, "email:eve@example.org").stopped == ("identified", "removed")
    shop.send({"type": "nonsense", "userId": "mia"})
    asked = Asked(shop, "user_id:mia")
    assert asked.stopped == ("received", "refusals_unnamed")
    assert asked.gates["in_allow_list"]["result"] == "pass"
    suppress(shop, "user_id", "sue")
    shop.send({"type": "identify", "userId": "sue"})
    assert Asked(shop, "user_id:sue").gates["not_suppressed"]["reason"] == "suppressed"


def test_only_administrators_ask(shop: Shop, mail: Feed, rows: psycopg.Connection[Any]) -> None:
    """Every question is in the ledger, without the person."""
    asked = "/v1/destinations/mail/explain?identifier=email:ann%40example.org&trait=plan"
    for key in ("import", "profiles", "privacy", mail.name):
        assert shop.ask("GET", asked, key).status_code == 403
    assert shop.ask("GET", asked.replace("mail/", "none/")).json()["code"] == "destination_not_found"
    assert shop.ask("GET", asked.replace("email:", "e mail:")).json()["code"] == "bad_identifier"
    shop.send(statement(userId="ann", traits=TRAITS))
    id_ = Asked(shop).made["profile_id"]
    found = rows.execute(
        f"SELECT subject FROM {AUDIT} a JOIN space s ON s.id = a.space_id "
        "WHERE a.action = 'destination.explain' AND s.public_id = %s",
        [shop.space_id.removeprefix("spc_")],
    ).fetchall()
    assert sorted(found, key=str) == sorted([(None,), (None,), (id_,)], key=str)


def test_an_erased_person_leaves_only_the_suppression(shop: Shop, mail: Feed) -> None:
    """Every other gate is unknown."""
    shop.send(statement({"Marketing": True}, userId="ann", traits=TRAITS))
    mail.pull()
    asked = {"identifiers": ["user_id:ann"], "suppress": False}
    assert shop.ask("POST", "/v1/erasures", "privacy", json=asked).status_code == 202
    found = Asked(shop)
    assert (found.made["profile_id"], found.stopped) == (None, ("received", "gone"))
    assert found.gates["not_suppressed"]["reason"] == "erased_before"
