"""An answer under a name of a consent manager, or under a general one, denies all or is listed, and never grants."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Kind, Source
from identity.values.documents import STATED, TimedSignal
from identity.values.fields.consent_managers import CATEGORY_ANSWERS, OTHERS
from identity.values.stamps import Micros

NOW = Micros(1_735_689_600 * MICRO)
STATED_NOTHING = {STATED: TimedSignal([], NOW)}
MINOR = "context.consent.minor"
COOKIEBOT = "{stamp:'x==',necessary:true,preferences:false,statistics:true,marketing:false,ver:1,region:'de'}"
NAMES = [name for right, names in (*OTHERS.items(), ("", CATEGORY_ANSWERS)) if right != MINOR for name in names.split()]


def read(body: dict[str, Any], kind: Kind = "identify") -> Call:
    """The call in a body of a browser."""
    return extract(body, kind=kind, rules=DEFAULT_RULES, received=NOW, sent_at=None, source=Source(1))


@pytest.mark.parametrize(
    "members",
    [
        *({name: False} for name in ("consentGiven", "consent_given", "hasConsent", "Has-Consent", "cookiesAccepted")),
        *({"consent_status": word} for word in ("denied", "rejected", "declined", "withdrawn", "Opted out", "revoked")),
        *({name: ",C0001,"} for name in ("OnetrustActiveGroups", "OptanonActiveGroups", "onetrust_active_groups")),
        {"OnetrustActiveGroups": ",,"},
        {"OptanonConsent": "isGpcEnabled=0&datestamp=1&version=6.10.0&groups=C0001%3A1%2CC0002%3A0"},
        {"cookieConsent": {"marketing": False}},
        {"cookieConsent": {"marketing": True, "analytics": False}},
        {"cookie_consent": "rejected"},
        {"cookie_consent": 0},
        {"CookieConsent": COOKIEBOT},
        {"CookieConsent": "necessary only"},
        {"cookieyes-consent": "consentid:abc,consent:no,action:yes,necessary:yes,functional:no"},
        {"cookielawinfo-checkbox-analytics": "no"},
        {"cmplz_marketing": "deny"},
        {"didomi": {"purposes": {"enabled": ["a"], "disabled": ["cookies"]}}},
        {"didomi_token": "eyJ1c2VyX2lkIjoiMTg"},
        {"usercentrics": {"services": [{"name": "GA", "consent": {"status": False}}]}},
        {"uc_settings": "{}x"},
        *({name: {"ads": False}} for name in ("quantcast", "ketch", "transcend", "real_cookie_banner", "securiti")),
        {"TC_PRIVACY": "0%40%7C1%7C2"},
        {"viewed_cookie_policy": "no"},
        {"consentDenied": True},
        {"consent_withdrawn": "2026-01-01"},
        {"rejectedCookies": ["marketing"]},
    ],
)
def test_a_denial_denies_all(members: dict[str, Any]) -> None:
    """In a context, beside one, in `headers` and the like, within a consent, and in a misspelt context."""
    (name,) = members
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"context": members}, f"context.{name}"),
        (members, name),
        ({"context": {"privacy": members}}, f"context.privacy.{name}"),
        ({"context": {"cookies": members}}, f"context.cookies.{name}"),
        ({"properties": {"headers": {"cookie": members}}}, f"properties.headers.cookie.{name}"),
    ]
    for body, path in bodies:
        call = read(body, "page")
        assert (call.consent, call.signals, call.invalid_signals) == ({}, STATED_NOTHING, ["consent"])
        assert call.ignored_fields == {path: "misspelt_field"}
    assert read({"context": {"consent": members}}).consent == {}
    assert read({"Context": members}).consent == {}


@pytest.mark.parametrize(
    "members",
    [
        *({name: value} for name in ("consentGiven", "hasConsent") for value in (True, 1, "yes", "true", " Granted ")),
        *({"consent_status": word} for word in ("granted", "accepted", "opted-in", "allow_all")),
        {"cookieConsent": {"marketing": True, "analytics": "granted", "version": 3}},
        {"CookieConsent": COOKIEBOT.replace("false", "true")},
        {"cookieyes-consent": "consentid:abc,consent:yes,action:yes,necessary:yes,functional:yes"},
        {"consentDenied": False},
        {"noConsent": "no"},
    ],
)
def test_a_yes_is_listed_and_grants_nothing(members: dict[str, Any]) -> None:
    """It may leave out what the person denied, so only categories by name grant."""
    (name,) = members
    call = read({"context": members})
    assert (call.consent, call.signals, call.ignored_fields) == (None, {}, {f"context.{name}": "misspelt_field"})


OPTANON = "a=b; OptanonConsent=groups%3DC0002%3A0"
UPDATE = ["consent", "update", {"consentGiven": False}]


@pytest.mark.parametrize(
    "context",
    [
        *({name: OPTANON} for name in ("cookies", "cookie", "setCookie", "documentCookie", "cookie_header")),
        {"cookies": [OPTANON]},
        {"cookies": [{"name": "CookieConsent", "value": "no"}, {"name": "a", "value": "b"}]},
        *({"headers": {name: value}} for name in ("Cookie", "Set-Cookie") for value in (OPTANON, [OPTANON])),
        {"headers": [{"name": "Cookie", "value": OPTANON}]},
        {"headers": [["Accept", "*/*"], ["Cookie", OPTANON]]},
        {"headers": f"Host: x\r\nCookie: {OPTANON}\r\n"},
        {"request": {"headers": {"cookie": OPTANON}}},
        {"dataLayer": [{"event": "x"}, {"consentGiven": False}]},
        {"dataLayer": [UPDATE]},
        {"dataLayer": [{str(nr): each for nr, each in enumerate(UPDATE)}]},
    ],
)
def test_the_headers_of_a_browser_and_a_data_layer_deny_in_every_form(context: dict[str, Any]) -> None:
    """As text, as lists and as pairs; a clear yes in them is listed, and grants nothing."""
    call = read({"context": context}, "page")
    assert (call.consent, call.signals, call.invalid_signals) == ({}, STATED_NOTHING, ["consent"])
    assert set(call.ignored_fields.values()) == {"misspelt_field"}
    text = json.dumps(context).replace(OPTANON, "CookieConsent=yes").replace('"no"', '"yes"').replace("false", "true")
    granted = read({"context": json.loads(text)}, "page")
    assert (granted.consent, granted.signals) == (None, {})
    assert set(granted.ignored_fields.values()) == {"misspelt_field"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=9),
        lambda each: (
            st.lists(each, max_size=3)
            | st.dictionaries(st.sampled_from(("0", "1", "name", "value", "cookie", "x")), each, max_size=3)
        ),
        max_leaves=9,
    )
)
def test_any_form_of_headers_is_read(value: Any) -> None:
    """No form fails, and none grants."""
    for name in ("headers", "cookies", "dataLayer"):
        assert not any((read({"context": {name: value}}, "page").consent or {}).values())


@pytest.mark.parametrize("empty", [None, "", " ", [], {}])
def test_an_empty_answer_states_nothing(empty: object) -> None:
    """Under any name, in any place."""
    for name in NAMES:
        assert read({"context": {name: empty}, name: empty, "traits": {name: empty}}).signals == {}


def test_an_answer_among_properties_and_traits_denies_by_a_clear_no() -> None:
    """A general one may be the customer's own; the record of a consent manager is not."""
    for place in ("properties", "traits"):
        kind: Kind = "track" if place == "properties" else "identify"
        assert read({place: {"consent_status": "denied"}}, kind).consent == {}
        assert read({place: {"consent_status": "subscribed"}}, kind).consent is None
        assert read({place: {"OnetrustActiveGroups": ",C0001,"}}, kind).consent == {}
        assert read({place: {"marketing_consent": False}}, kind).ignored_fields == {}
    assert read({"context": {"consent_status": "pending"}}).consent == {}
    assert read({"context": {"marketing_consent": False}}).consent == {}


def test_categories_in_the_right_place_count_beside_an_answer() -> None:
    """The answer of the same call is listed."""
    consent = {"categoryPreferences": {"Ads": True}}
    call = read({"context": {"consent": consent, "OnetrustActiveGroups": ",C0001,", "consentGiven": False}})
    assert call.consent == {"Ads": True}
    assert list(call.ignored_fields) == ["context.OnetrustActiveGroups", "context.consentGiven"]


@pytest.mark.parametrize(
    "consent",
    [
        {"marketing": "denied"},
        {"marketing": {"granted": False}},
        {"status": "withdrawn", "jurisdiction": "DE"},
        {"given": False, "gpp": None},
        {"consentGiven": "no", "minor": False},
    ],
)
def test_a_no_within_a_consent_without_categories_denies_all(consent: dict[str, Any]) -> None:
    """As answers without any known member do."""
    assert read({"context": {"consent": consent}}).consent == {}


def test_words_near_the_names_are_the_customers_own() -> None:
    """The id, the time and the version of a consent, and the contents of an advertisement."""
    own = ("consentId", "consentDate", "consentVersion", "adContent", "userContent", "cookies", "state", "consentText")
    for name in own:
        assert read({"context": {name: "no"}, name: "no", "traits": {name: "no"}}).ignored_fields == {}


def test_decisions_in_a_call_deny_all_where_one_is_a_no() -> None:
    """Only `POST /v1/consent` reads them."""
    call = read({"decisions": {"Ads": True, "Product": False}})
    assert (call.consent, call.invalid_signals) == ({}, ["consent"])
    assert call.ignored_fields == {"decisions": "field_of_other_type"}
    assert read({"decisions": {"Ads": True}}).consent is None


@pytest.mark.parametrize(
    "members",
    [
        {"regs": {"coppa": 1}},
        {"regs": {"ext": {"coppa": "1"}}},
        {"tagForUnderAgeOfConsent": True},
        {"tag_for_child_directed_treatment": True},
        {"privacy": {"isChild": True}},
    ],
)
def test_a_child_by_the_names_of_others_is_a_minor(members: dict[str, Any]) -> None:
    """In the places of OpenRTB, too; a no says nothing."""
    for body in ({"context": members}, members, {"context": {"consent": members}}):
        call = read(body)
        assert call.signals.get("minor") == TimedSignal(value=True, time=NOW)
        assert call.invalid_signals
    assert read({"context": {"regs": {"coppa": 0}, "isChild": False}}).signals == {}


LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["yes", "no", "C0001", "a:yes", "grant"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


@given(name=st.sampled_from(NAMES), value=VALUES, place=st.sampled_from(["", "context", "traits", "consent"]))
def test_no_answer_under_another_name_grants(name: str, value: object, place: str) -> None:
    """Whatever its value and its place."""
    members: dict[str, Any] = {name: value}
    bodies: dict[str, dict[str, Any]] = {"": members, "consent": {"context": {"consent": members}}}
    call = read(bodies.get(place, {place: members}))
    assert not call.consent
    assert not any(each.value is True for each in call.signals.values())
