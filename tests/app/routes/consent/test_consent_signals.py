"""Signals of consent over the wire: what takes effect, and what a call and the history say of unread ones."""

import time
from itertools import count
from typing import Any

import httpx
import pytest

from identity.planning.consent.signals.tcf import DISCLOSING_FROM
from identity.values.calls import DAY, MICRO
from tests.app.conftest import Shop, new_shop
from tests.identity.planning.consent.signals.encoding import encode, granting, header

CLASSES = ("ads", "analytics", "sale_share", "sensitive")
PURPOSES = [{"id": class_, "class": class_, "ttl_days": 390} for class_ in CLASSES]
_numbers = count()


@pytest.fixture(scope="module")
def shops(client: httpx.Client, live: Any) -> dict[str, Shop]:
    """A space that denies undecided people, and one that allows them."""
    made = {}
    for unset in ("deny", "allow"):
        shop = made[unset] = new_shop(client, {"Authorization": f"Bearer {live.admin_token}"})
        assert shop.ask("PUT", "/v1/purposes", json={"purposes": PURPOSES, "unset": unset}).status_code == 200
    return made


@pytest.fixture
def person() -> str:
    """A user id of nobody yet."""
    return f"u{next(_numbers)}"


def send(shop: Shop, person: str, consent: Any, ago: float = 0) -> dict[str, Any]:
    """The outcome of a call with a consent object."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))
    call = {"type": "track", "event": "E", "userId": person, "timestamp": moment, "context": {"consent": consent}}
    outcome: dict[str, Any] = shop.send(call, key="import")[0]
    return outcome


def answers(shop: Shop, person: str) -> tuple[dict[str, bool], list[dict[str, Any]]]:
    """Whether each purpose is granted, and the history of statements."""
    found = shop.ask("GET", f"/v1/consent/user_id:{person}", "privacy").json()
    return {name: each["granted"] for name, each in found["purposes"].items()}, found["history"]


def tc(days_ago: int, **changed: Any) -> str:
    """A TC string of so many days ago."""
    updated = (time.time_ns() // 1000 - days_ago * DAY) // 100_000 * 100_000
    return encode(granting(last_updated=updated, **changed))


@pytest.mark.parametrize(
    ("consent", "invalid"),
    [
        ({"tcf": "x"}, ["tcf"]),
        ({"gpp": "x"}, ["gpp"]),
        ({"gpp": f"{header([(6, 7)])}~1YNN~!"}, ["gpp:usnat"]),
        ({"gpp": f"{header([(6, 6), (40, 40)])}~1YNN~BAAA"}, ["gpp:40"]),
        ({"googleConsentMode": {"ad_storage": "yes", "tracking": "granted"}}, ["gcm:ad_storage", "gcm:tracking"]),
        ({"usPrivacy": "2YNN"}, ["us_privacy"]),
        ({"categoryPreferences": {"ads": "false", "analytics": 0}}, ["categories:ads", "categories:analytics"]),
        ({"categoryPreferences": ["ads"], "minor": "true"}, ["categories", "minor"]),
        ({"jurisdiction": "Germany"}, ["jurisdiction"]),
        ({"jurisdiction": 49, "tcString": "x"}, ["consent:tcString", "jurisdiction"]),
        ("granted", ["consent"]),
        (["granted"], ["consent"]),
    ],
)
def test_a_signal_that_is_not_read_is_named_by_the_call_and_in_the_history(
    shops: dict[str, Shop], person: str, consent: Any, invalid: list[str]
) -> None:
    """Also where a later call says nothing else; it changes no answer."""
    shop = shops["deny"]
    for nr in (1, 2):
        assert send(shop, person, consent)["invalid_signals"] == invalid
        granted, history = answers(shop, person)
        assert [each["invalid_signals"] for each in history] == [invalid] * nr
        assert not any(granted.values())


def test_signals_that_are_not_read_are_counted_by_their_source(
    shops: dict[str, Shop], person: str, operator: dict[str, str]
) -> None:
    """Also of keys that see no outcomes; a part counts for its field."""
    shop = shops["deny"]

    def counted() -> dict[str, float]:
        lines = shop.client.get("/metrics", headers=operator).text.splitlines()
        found = [line.rsplit(" ", 1) for line in lines if line.startswith("onefold_invalid_signals_total{")]
        return {name.split('"')[1]: float(value) for name, value in found}

    before = counted()
    consent = {"tcf": "x", "gpp": f"{header([(6, 7), (40, 40)])}~1YNN~!~x", "googleConsentMode": {"a": "denied"}}
    call = {"event": "E", "userId": person, "context": {"consent": consent}}
    assert shop.ask("POST", "/v1/track", "write", json=call).status_code == 200
    after = counted()
    grown = {source: after[source] - before.get(source, 0) for source in ("tcf", "gpp", "gcm")}
    assert grown == {"tcf": 1, "gpp": 2, "gcm": 1}


def test_a_call_whose_signals_are_read_names_none(shops: dict[str, Shop], person: str) -> None:
    """The field is absent then, as for Google's own parameters."""
    read = {"tcf": tc(1), "usPrivacy": "1YNN", "googleConsentMode": {"ad_storage": "granted", "wait_for_update": 500}}
    assert "invalid_signals" not in send(shops["deny"], person, read)
    granted, history = answers(shops["deny"], person)
    assert (granted["ads"], history[0]["signal_sources"]) == (True, ["tcf", "gcm"])


def test_an_opt_out_counts_beside_a_bad_section(shops: dict[str, Shop], person: str) -> None:
    """And the bad one is named."""
    outcome = send(shops["allow"], person, {"gpp": f"{header([(2, 2), (6, 6)])}~{tc(1)[:50]}~1yyn"})
    granted, history = answers(shops["allow"], person)
    assert (granted["ads"], granted["analytics"], outcome["invalid_signals"]) == (False, True, ["gpp:tcfeuv2"])
    assert history[0]["signals"] == {"out:ads": False, "out:sale_share": False}


def test_a_string_without_its_disclosed_vendors_grants_nothing_and_is_named(
    shops: dict[str, Shop], person: str
) -> None:
    """Its denials count."""
    some = frozenset({1, 8, 9, 10})
    assert time.time() * MICRO > DISCLOSING_FROM + DAY
    outcome = send(shops["allow"], person, {"tcf": tc(0, disclosed=None, purposes_consent=some)})
    granted, history = answers(shops["allow"], person)
    assert (granted["ads"], granted["analytics"], outcome["invalid_signals"]) == (False, True, ["tcf"])
    assert history[0]["signals"] == {"ads:server": False, "personalisation:server": False}


def test_an_old_string_sent_again_never_lifts_a_withdrawal(shops: dict[str, Shop], person: str) -> None:
    """The time in the string counts, not that of the call."""
    shop, old = shops["deny"], {"tcf": tc(30)}
    send(shop, person, old, 30 * 86_400)
    assert answers(shop, person)[0]["ads"]
    send(shop, person, {"googleConsentMode": {"ad_user_data": "denied"}}, 3 * 86_400)
    send(shop, person, old)
    assert not answers(shop, person)[0]["ads"]
    send(shop, person, {"tcf": tc(0)})
    assert answers(shop, person)[0]["ads"]


def test_a_decision_is_dated_as_calls_are_and_read_at_a_time_with_a_plus_sign(shop: Shop) -> None:
    """The time is text or a number; a plus sign of a query may arrive as a blank."""
    shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": "Marketing", "class": "ads"}]})
    wanted = {"identifier": "user_id:ann", "decisions": {"Marketing": True}}
    for captured_at in (1_767_225_600, 1_767_225_600_000, "1767225600", "2026-01-01T01:00:00+01:00"):
        made = shop.ask("POST", "/v1/consent", "privacy", json={**wanted, "captured_at": captured_at}).json()
        assert made["captured_at"] == "2026-01-01T00:00:00.000Z"
    for at in ("2026-10-31T02:00:00+01:00", "2026-10-31T02:00:00%2B01:00"):
        found = shop.ask("GET", f"/v1/consent/user_id:ann?at={at}", "privacy")
        assert (found.status_code, found.json().get("at")) == (200, "2026-10-31T01:00:00.000Z"), found.text
    for at in ("2026-10-31T02:00:00+01:00", "2026-10-31T02:00:00%2B01:00"):
        assert shop.ask("GET", f"/v1/rejections?since={at}").status_code == 200


def test_a_decision_from_before_an_erasure_is_refused_as_such(shop: Shop) -> None:
    """The person is not suppressed, so the answer names the time; a decision of now is recorded."""
    shop.send({"type": "identify", "userId": "ann"})
    erased = {"identifiers": ["user_id:ann"], "suppress": False}
    assert shop.ask("POST", "/v1/erasures", "privacy", json=erased).status_code == 202
    wanted = {"identifier": "user_id:ann", "jurisdiction": "DE"}
    old = shop.ask("POST", "/v1/consent", "privacy", json={**wanted, "captured_at": "2026-01-01T00:00:00Z"})
    assert (old.status_code, old.json()["code"]) == (409, "before_erasure")
    assert shop.ask("POST", "/v1/consent", "privacy", json=wanted).status_code == 200
