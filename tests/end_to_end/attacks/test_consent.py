"""Attacks 91 to 107 on consent, over the wire. docs/threats.md lists every attack by its number."""

import time
from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.destinations.destination_feed import PURPOSES, Feed, statement

ANN = "user_id:ann"
GRANT, DENIAL = {"Marketing": True, "Product": True}, {"Marketing": False, "Product": False}
CORE = "CPz-FAAPz-FAAAGABCENBcEgAP_AAAAAAAYgJNNf_X"


@pytest.fixture
def ads(shop: Shop) -> Feed:
    """A destination of class ads, which may see whose id it is."""
    shop.ask("PUT", "/v1/purposes", json=PURPOSES)
    return Feed(shop, "ads", identifiers=["user_id"])


def verdict(shop: Shop, ref: str = ANN) -> tuple[bool, str]:
    """Whether Marketing is granted, and why."""
    answer = shop.ask("GET", f"/v1/consent/{ref}", "privacy").json()["purposes"]["Marketing"]
    return answer["granted"], answer["reason"]


def at(seconds: float) -> str:
    """A time so many seconds from now."""
    moment = time.time() + seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03}Z"


def say(shop: Shop, decisions: dict[str, bool], when: str | None = None, **more: Any) -> None:
    """A statement by a browser."""
    call = statement(decisions, userId="ann", traits={"plan": "pro"}) | more
    call |= {} if when is None else {"timestamp": when}
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": [call]}).status_code == 200


BAD_SIGNALS: list[tuple[str, Any]] = [
    *(("tcf", text) for text in ("", "!!!!", CORE[:9], "B" + CORE[1:], "." * 9, CORE + "\u0000", 7, ["C"])),
    ("tcf", "C" + "A" * 30_000),
    *(("gpp", text) for text in ("DBABM~", "DBAA~BVVqAAAAAAA~1YNN", "DBAzzzzz~x", "EBABM~x", "~", 1)),
    ("usPrivacy", "1YYX"),
]


def test_attacks_91_and_92_signals_that_are_none(shop: Shop, ads: Feed) -> None:
    """A string that is not read changes nothing for anybody; an unreadable answer of a Google type may be a denial."""
    say(shop, GRANT)
    shop.send(statement(userId="bob", traits={"plan": "pro"}))
    calls = [
        {"type": "track", "event": "E", "userId": who, "context": {"consent": {field: value}}}
        for field, value in BAD_SIGNALS
        for who in ("ann", "bob")
    ]
    assert {outcome["status"] for outcome in shop.send(*calls)} == {"accepted"}
    assert (verdict(shop), verdict(shop, "user_id:bob")) == ((True, "granted"), (False, "unset"))
    assert ads.look(ANN).json()["consent"] == "granted"
    assert ads.look("user_id:bob").status_code == 404
    unread = {"consent": {"googleConsentMode": {"ad_storage": "Granted"}}}
    shop.send({"type": "track", "event": "E", "userId": "ann", "context": unread})
    assert verdict(shop) == (False, "denied_by_class")


@pytest.mark.parametrize("answer", ["true", 1, None, {}, "granted"], ids=str)
def test_attack_95_text_is_no_answer(shop: Shop, answer: Any) -> None:
    """A decision is true or false where it is recorded; nothing else is taken for one."""
    decision = {"identifier": ANN, "decisions": {"Ads": answer}}
    refused = shop.ask("POST", "/v1/consent", "privacy", json=decision)
    assert refused.status_code == 422
    assert shop.ask("GET", f"/v1/profiles/{ANN}").status_code == 404


def test_attack_97_from_the_future(shop: Shop, ads: Feed) -> None:
    """A grant dated 2099 counts from now in a call, so a withdrawal after it counts; on its own route it is refused."""
    assert ads.pull() == []
    say(shop, GRANT, "2099-01-01T00:00:00Z")
    decision = {"identifier": ANN, "decisions": GRANT, "captured_at": "2099-01-01T00:00:00Z"}
    assert shop.ask("POST", "/v1/consent", "privacy", json=decision).status_code == 422
    recorded = shop.ask("POST", "/v1/consent", "privacy", json={**decision, "captured_at": at(240)}).json()
    assert recorded["captured_at"] < at(60)
    assert verdict(shop) == (True, "granted")
    decision = {"identifier": ANN, "decisions": DENIAL}
    assert shop.ask("POST", "/v1/consent", "privacy", json=decision).status_code == 200
    assert verdict(shop)[0] is False
    assert ads.look(ANN).status_code == 404


def test_attack_98_an_older_grant_that_comes_late(shop: Shop, ads: Feed) -> None:
    """A grant that was under way when it was withdrawn changes nothing."""
    say(shop, GRANT, at(-7_200))
    say(shop, DENIAL, at(-60))
    say(shop, GRANT, at(-3_600))
    assert verdict(shop) == (False, "denied")
    assert ads.look(ANN).status_code == 404


@pytest.mark.parametrize("order", [(GRANT, DENIAL), (DENIAL, GRANT)], ids=["grant first", "denial first"])
def test_attack_99_of_one_moment(shop: Shop, ads: Feed, order: tuple[dict[str, bool], ...]) -> None:
    """Of two answers with one time the denial stands, whichever comes first."""
    when = at(-60)
    for decisions in order:
        say(shop, decisions, when)
    assert verdict(shop) == (False, "denied")
    assert ads.look(ANN).status_code == 404


def test_attack_101_merged_where_opting_out_is_the_rule(shop: Shop, ads: Feed) -> None:
    """Where undecided people are allowed, a denial and no decision merge into a denial."""
    shop.ask("PUT", "/v1/purposes", json={**PURPOSES, "regions": {"US": "allow"}})
    us = {"context": {"consent": {"jurisdiction": "US"}}}
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}, **us})
    assert ads.look(ANN).json()["consent"] == "granted"
    context = {"consent": {"jurisdiction": "US", "categoryPreferences": DENIAL}}
    shop.send({"type": "identify", "anonymousId": "a1", "context": context})
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1"})
    assert verdict(shop) == (False, "denied")
    assert ads.look(ANN).json()["consent"] == "withheld"


def test_attack_107_a_minor_who_grants(shop: Shop, ads: Feed) -> None:
    """No grant of a minor counts, in any order of calls, until a server declares the person no minor."""
    say(shop, GRANT)
    assert ads.look(ANN).json()["consent"] == "granted"
    say(shop, GRANT, context={"consent": {"categoryPreferences": GRANT, "minor": True}})
    say(shop, GRANT)
    say(shop, GRANT, context={"consent": {"categoryPreferences": GRANT, "minor": False}})
    assert verdict(shop) == (False, "minor")
    assert ads.look(ANN).json()["consent"] == "withheld"
    shop.ask("POST", "/v1/consent", "privacy", json={"identifier": ANN, "decisions": GRANT, "minor": False})
    assert verdict(shop) == (True, "granted")
