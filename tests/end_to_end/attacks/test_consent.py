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
    call = statement(decisions, userId="ann", anonymousId="browser", traits={"plan": "pro"}) | more
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


def stated(shop: Shop, decisions: dict[str, bool], **ids: str) -> None:
    """A statement by a browser with these ids."""
    call = statement(decisions, traits={"plan": "pro"}, **ids)
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": [call]}).status_code == 200


@pytest.mark.usefixtures("ads")
def test_attack_210_a_grant_of_another_device_lifts_no_denial(shop: Shop) -> None:
    """It may name her user id; her own device still does, and so does a server. It opens no data of hers either."""
    stated(shop, DENIAL, userId="ann", anonymousId="hers")
    for ids in ({}, {"anonymousId": "evil"}, {"anonymousId": "evil"}):
        stated(shop, GRANT, userId="ann", **ids)
        assert verdict(shop) == (False, "denied")
    stated(shop, GRANT, anonymousId="evil")
    assert verdict(shop) == (False, "denied")
    history = shop.ask("GET", f"/v1/consent/{ANN}", "privacy").json()["history"]
    assert [(each["class"], each["grants_count_at"] is None) for each in history] == [
        ("public", False), *[("public", True)] * 4,
    ]  # fmt: skip
    stated(shop, GRANT, userId="ann", anonymousId="hers")
    assert verdict(shop) == (True, "granted")

    shop.send({"type": "identify", "userId": "bob", "traits": {"plan": "pro"}})
    stated(shop, GRANT, userId="bob", anonymousId="evil-too")
    assert not verdict(shop, "user_id:bob")[0]
    body = {"identifier": "user_id:bob", "decisions": GRANT}
    assert shop.ask("POST", "/v1/consent", "privacy", json=body).status_code == 200
    assert verdict(shop, "user_id:bob") == (True, "granted")


DEVICE = {"type": "ios", "advertisingId": "ad-1", "token": "push-1"}


@pytest.mark.parametrize("known", ["ad-1", "push-1", "7.8"])
def test_attack_210_an_id_that_other_companies_know_names_no_device(shop: Shop, ads: Feed, known: str) -> None:
    """An advertising id, a push token or a client id of Google Analytics, sent as an anonymous id with a grant."""
    stated(shop, DENIAL, userId="ann", anonymousId="hers")
    context = {"device": DEVICE, "integrations": {"Google Analytics": {"clientId": "7.8"}}}
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "hers", "context": context})
    shop.send({"type": "identify", "userId": "bob", "traits": {"plan": "pro"}, "context": {
        "device": {"type": "ios", "advertisingId": f"bob-{known}", "token": f"bob-{known}"},
    }})  # fmt: skip
    stated(shop, GRANT, userId="ann", anonymousId=known)
    stated(shop, GRANT, userId="bob", anonymousId=f"bob-{known}")
    assert verdict(shop) == (False, "denied")
    assert not verdict(shop, "user_id:bob")[0]
    assert ads.look("user_id:bob").status_code == 404


NOBODY: list[dict[str, Any]] = [{}, {"anonymousId": ""}, {"anonymousId": "null"}]


def anybody(shop: Shop, consent: dict[str, Any], **ids: str) -> None:
    """A public call about Ann that names no device, with a consent object."""
    call = {"type": "track", "event": "E", "userId": "ann", "context": {"consent": consent}, **ids}
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": [call]}).status_code == 200


@pytest.mark.parametrize("ids", NOBODY, ids=str)
@pytest.mark.parametrize(
    ("hers", "attack"),
    [
        ({"categoryPreferences": DENIAL}, {"categoryPreferences": GRANT}),
        ({"googleConsentMode": {"ad_storage": "denied"}}, {"googleConsentMode": {"ad_storage": "granted"}}),
        ({"jurisdiction": "DE"}, {"jurisdiction": "US"}),
        ({"usPrivacy": "1YYN"}, {"usPrivacy": "1YNN", "categoryPreferences": GRANT}),
    ],
    ids=["categories", "google", "region", "opt-out"],
)
def test_attack_214_a_call_without_a_device_lifts_nothing(
    shop: Shop, ads: Feed, ids: dict[str, str], hers: dict[str, Any], attack: dict[str, Any]
) -> None:
    """Not even what another call without a device denied: anybody may have made either."""
    policy = {**PURPOSES, "unset": "allow", "regions": {"DE": "deny"}, "override_opt_out": True}
    assert shop.ask("PUT", "/v1/purposes", json=policy).status_code == 200
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}})
    assert ads.look(ANN).json()["consent"] == "granted"
    anybody(shop, hers, **ids)
    for _ in range(2):
        assert not verdict(shop)[0]
        assert ads.look(ANN).json()["consent"] == "withheld"
        anybody(shop, attack, **ids)
    assert not verdict(shop)[0]
    shop.send(statement(GRANT, userId="ann", traits={"plan": "pro"}) | {"context": {"consent": {
        "categoryPreferences": GRANT, "googleConsentMode": {"ad_storage": "granted"}, "jurisdiction": "US",
    }}})  # fmt: skip
    assert verdict(shop)[0]


@pytest.mark.parametrize("ids", NOBODY, ids=str)
@pytest.mark.parametrize("made", [{"type": "track", "event": "E"}, {"type": "identify"}], ids=lambda made: made["type"])
def test_attack_215_a_call_without_a_device_opens_nobody(
    shop: Shop, ads: Feed, ids: dict[str, str], made: dict[str, str]
) -> None:
    """Whatever a server has stated of the person: an event, or an address in the context."""
    shop.send({**made, "userId": "ann", "context": {"traits": {"email": "ann@x.org"}}})
    anybody(shop, {"categoryPreferences": GRANT}, **ids)
    assert verdict(shop) == (False, "unset")
    assert ads.look(ANN).status_code == 404
    assert ads.pull() == []


@pytest.mark.usefixtures("ads")
def test_attack_211_a_region_of_a_public_key_opens_nothing(shop: Shop) -> None:
    """It makes the default stricter alone; that of a server counts as before."""
    policy = {**PURPOSES, "unset": "deny", "regions": {"US": "allow"}}
    assert shop.ask("PUT", "/v1/purposes", json=policy).status_code == 200
    where = {"consent": {"jurisdiction": "US"}}
    call = {"type": "identify", "userId": "ann", "anonymousId": "hers", "context": where}
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": [call]}).status_code == 200
    assert verdict(shop) == (False, "unset")
    shop.send(call)
    assert verdict(shop) == (True, "allowed_unset")
    call["context"] = {"consent": {"jurisdiction": "DE"}}
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": [call]}).status_code == 200
    assert verdict(shop) == (False, "unset")


@pytest.mark.usefixtures("ads")
def test_a_space_that_trusts_public_keys_decides_as_segment_does(shop: Shop) -> None:
    """The last statement of any device counts, and a region too."""
    assert shop.ask("PUT", "/v1/rules", json={"trust": "segment"}).status_code == 200
    stated(shop, DENIAL, userId="ann", anonymousId="hers")
    stated(shop, GRANT, userId="ann", anonymousId="other")
    assert verdict(shop) == (True, "granted")
