"""Destinations over HTTP: their entitlement, what they may see, and the feed of every change."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.destinations.destination_feed import MAIL, PURPOSES, Feed, statement


@pytest.fixture
def feed(shop: Shop) -> Callable[..., Feed]:
    """Destinations of a space with purposes."""
    assert shop.ask("PUT", "/v1/purposes", json=PURPOSES).json() == {"version": 1}
    return lambda *name, **entitled: Feed(shop, *name, **entitled)


def test_a_destination_sees_its_list_of_consenting_people_only(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Everybody else looks like nobody."""
    mail = feed()
    traits = {"plan": "pro", "name": "Ann", "salary": 9, "email": "ann@example.org"}
    shop.send(statement({"Marketing": True}, userId="ann", traits=traits))
    shop.send(statement({"Marketing": False}, userId="bob", traits={"plan": "pro", "email": "bob@example.org"}))
    shop.send(statement(userId="eve", traits={"plan": "pro", "email": "eve@example.org"}))

    seen = mail.look("email:Ann@example.org").json()
    assert (seen["traits"], seen["consent"]) == ({"plan": "pro", "name": "Ann"}, "granted")
    assert seen["identifiers"] == [{"type": "email", "value": "ann@example.org"}]
    # By an identifier that it may not see it finds nobody.
    for ref in ("user_id:ann", "email:bob@example.org", "email:eve@example.org", "email:no@example.com"):
        answer = mail.look(ref)
        assert (answer.status_code, answer.json()["code"]) == (404, "profile_not_found")
    assert mail.look(seen["profile_id"]).json() == seen
    assert [line["traits"] for line in mail.pull()] == [seen["traits"]]
    many = {"identifiers": ["email:ann@example.org", "email:bob@example.org", seen["profile_id"]]}
    found = shop.ask("POST", "/v1/destination/profiles/lookup", "mail", json=many).json()["profiles"]
    assert found == {many["identifiers"][0]: seen, many["identifiers"][1]: None, many["identifiers"][2]: seen}


def test_a_withdrawal_is_in_force_when_it_is_answered(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Nothing is visible any more, and the feed withdraws it where it was disclosed."""
    mail = feed()
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro", "email": "ann@example.org"}))
    mail.pull()
    id_ = mail.look("email:ann@example.org").json()["profile_id"]
    decided = {"identifier": "user_id:ann", "decisions": {"Marketing": False}}
    assert shop.ask("POST", "/v1/consent", "privacy", json=decided).status_code == 200

    seen = mail.look(id_).json()
    assert (seen["consent"], seen["traits"], seen["identifiers"]) == ("withheld", {}, [])
    assert [(line["op"], line["profile_id"], line["traits"]) for line in mail.pull()] == [("withdraw", id_, {})]
    assert mail.held == {}
    # A grant by a public key does not lift what the privacy team recorded.
    shop.send(statement({"Marketing": True}, userId="ann"), key="import")
    assert mail.look(id_).json()["consent"] == "granted"


def test_a_merge_into_a_conflict_withdraws_both(shop: Shop, feed: Callable[..., Feed]) -> None:
    """The feed says which ids are one."""
    mail = feed()
    shop.send(statement({"Marketing": False}, userId="ann", traits={"plan": "pro"}))
    shop.send(statement({"Marketing": True}, anonymousId="a1", traits={"name": "A"}))
    mail.pull()
    (id_,) = mail.held
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1"})
    lines = mail.pull()
    assert [line["op"] for line in lines] == ["merge", "withdraw"]
    assert lines[0]["other_profile_ids"] == [id_]
    assert mail.held == {}
    unmerged = {"identifiers": ["anonymous_id:a1"]}
    assert shop.ask("POST", "/v1/profiles/unmerge", "privacy", json=unmerged).status_code == 200
    mail.pull()
    assert {held["traits"].get("name") for held in mail.held.values()} == {"A"}


def test_an_erasure_reaches_the_destinations_that_know_the_person(shop: Shop, feed: Callable[..., Feed]) -> None:
    """It is done there once acknowledged; no other destination hears of it."""
    mail, ads = feed(), feed("ads", purposes=["Product"])
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro", "email": "ann@example.org"}))
    for each in (mail, ads):
        each.pull()
    (id_,) = mail.held
    asked = shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:ann"]}).json()
    erasure = asked["erasures"][0]["erasure_id"]

    def state() -> dict[str, Any]:
        made: dict[str, Any] = shop.ask("GET", f"/v1/erasures/{erasure}", "privacy").json()
        return made

    assert [each["status"] for each in state()["destinations"]] == ["queued"]
    assert state()["overall"] == "propagating"
    assert mail.look(id_).status_code == 404
    (line,) = mail.pull()
    assert (line["op"], line["profile_id"]) == ("erase", id_)
    assert line["identifiers"] == [{"type": "email", "value": "ann@example.org"}]
    assert mail.held == {}
    assert ads.pull() == []
    assert mail.ack()["erasures"] == 1
    assert mail.ack()["erasures"] == 0
    assert [each["status"] for each in state()["destinations"]] == ["done"]
    assert state()["overall"] in ("awaiting_backups", "completed")
    receipt = shop.ask("GET", f"/v1/erasures/{erasure}/receipt", "privacy").json()
    assert [each["status"] for each in receipt["destinations"]] == ["done"]


def test_a_changed_entitlement_withdraws_and_discloses(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Without any call, wherever the feed was."""
    mail = feed()
    shop.send(*(statement({"Marketing": True}, userId=f"u{nr}", traits={"plan": nr, "name": "N"}) for nr in range(5)))
    mail.pull(limit=2)
    before = dict(mail.versions)
    shop.ask("PUT", "/v1/destinations/mail", json={**MAIL, "traits": ["name"]})
    mail.pull(limit=2)
    assert [held["traits"] for held in mail.held.values()] == [{"name": "N"}] * 5
    assert all(mail.versions[id_] > version for id_, version in before.items())
    shop.ask("PUT", "/v1/purposes", json={"purposes": []})
    assert {line["op"] for line in mail.pull(limit=2)} == {"withdraw"}
    assert mail.held == {}
    shop.ask("PUT", "/v1/purposes", json=PURPOSES)
    mail.pull(limit=2)
    assert len(mail.held) == 5


def test_a_long_poll_ends_with_a_change_or_its_time(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Whichever comes first."""
    mail = feed()
    mail.pull()
    assert mail.page(wait=0.3).json()["changes"] == []
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
    assert len(mail.page(wait=20).json()["changes"]) == 1


def test_a_cursor_is_valid_for_its_destination_only(shop: Shop, other_shop: Shop, feed: Callable[..., Feed]) -> None:
    """In its space only, and never once altered."""
    mail, ads = feed(), feed("ads")
    mail.pull()
    ads.cursor = mail.cursor
    assert ads.page().json()["code"] == "bad_cursor"
    assert shop.ask("POST", "/v1/changes/ack", "ads", json={"cursor": mail.cursor}).json()["code"] == "bad_cursor"
    other_shop.ask("PUT", "/v1/purposes", json=PURPOSES)
    other = Feed(other_shop)
    other.cursor = mail.cursor
    assert other.page().json()["code"] == "bad_cursor"
    assert mail.page(limit=0).status_code == 422


def test_secrets_are_shown_once_and_rotated(shop: Shop, feed: Callable[..., Feed]) -> None:
    """The newest two are valid; deleting ends all."""
    mail = feed()
    again = shop.ask("PUT", "/v1/destinations/mail", json=MAIL)
    assert (again.status_code, "secret" in again.json()) == (200, False)
    for nr in (1, 2):
        shop.keys[f"mail{nr}"] = shop.ask("POST", "/v1/destinations/mail/rotate").json()["secret"]
    assert mail.page().status_code == 401
    for nr in (1, 2):
        assert shop.ask("GET", "/v1/changes", f"mail{nr}").status_code == 200
    assert shop.ask("DELETE", "/v1/destinations/mail").status_code == 204
    assert shop.ask("GET", "/v1/changes", "mail2").status_code == 401
    assert shop.ask("GET", "/v1/destinations/mail").json()["code"] == "destination_not_found"
    for key in ("import", "profiles", "privacy", "admin"):
        assert shop.ask("GET", "/v1/changes", key).status_code == 403


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("Mail", {}),
        ("mail", []),
        ("mail", {"purpose": ["Marketing"]}),
        ("mail", {"traits": "plan"}),
        ("mail", {"identifiers": ["User Id"]}),
        ("mail", {"purposes": [""]}),
        ("mail", {"callback_url": 7}),
    ],
)
def test_an_invalid_destination_is_rejected(common_shop: Shop, name: str, document: Any) -> None:
    """Nothing is created."""
    answer = common_shop.ask("PUT", f"/v1/destinations/{name}", json=document)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_destination")
    assert common_shop.ask("GET", "/v1/destinations").json() == {"destinations": []}


def test_an_expired_grant_is_withdrawn_without_a_call(shop: Shop, rows: Any, feed: Callable[..., Feed]) -> None:
    """Like any withdrawal."""
    mail = feed()
    shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": "Marketing", "class": "ads", "ttl_days": 1}]})
    ago = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 86_400 + 4))
    shop.send(statement({"Marketing": True}, userId="ann", timestamp=ago + "Z", traits={"plan": "pro"}))
    mail.pull()
    assert len(mail.held) == 1
    until = time.monotonic() + 30
    while mail.held and time.monotonic() < until:
        mail.pull(wait=5)
    assert mail.ops[-1] == "withdraw"
    assert rows.execute("SELECT count(*) FROM disclosure WHERE until IS NOT NULL").fetchone() is not None


def test_an_empty_feed_names_what_keeps_the_profiles_out(shop: Shop, feed: Callable[..., Feed]) -> None:
    """From the beginning only; a destination that sees somebody gets no counts."""
    feed()
    for name in ("ann", "bob"):
        shop.send(statement({"Marketing": False}, userId=name, traits={"plan": "pro"}))
    shop.send(statement({"Marketing": True}, userId="eve", traits={"unlisted": 1}))
    page = shop.ask("GET", "/v1/changes", "mail").json()

    assert page["changes"] == []
    assert page["audience"] == {
        "profiles": 3,
        "looked_at": 3,
        "visible": 0,
        "kept_out": [
            {"reason": "nothing_listed", "profiles": 1, "purpose": None},
            {"reason": "purpose_not_granted", "profiles": 2, "purpose": "Marketing"},
        ],
    }
    assert "audience" not in shop.ask("GET", f"/v1/changes?cursor={page['cursor']}", "mail").json()
    shop.send(statement({"Marketing": True}, userId="zoe", traits={"plan": "pro"}))
    assert "audience" not in shop.ask("GET", "/v1/changes", "mail").json()
