"""A statement of consent under a misspelt name, or in another place, denies and never grants."""

from typing import Any

import pytest

from identity.planning.consent.signals.tcf import FIRST
from identity.planning.resolution.extract import content, extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Source
from identity.values.documents import STATED, TimedSignal
from identity.values.stamps import Micros
from tests.identity.planning.consent.signals.encoding import encode, granting

NOW = Micros(1_735_689_600 * MICRO)
GRANTED = {"categoryPreferences": {"Ads": True}}
DENYING = encode(granting(last_updated=FIRST, purposes_consent=frozenset()))
OUT = {"out:ads": TimedSignal(value=False, time=NOW), "out:sale_share": TimedSignal(value=False, time=NOW)}


def read(body: dict[str, Any]) -> Call:
    """The call in a body of a browser."""
    return extract(body, kind="page", rules=DEFAULT_RULES, received=NOW, sent_at=None, source=Source(1))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"consent": GRANTED}, "consent"),
        ({"Consent": "no"}, "Consent"),
        ({"consent": False}, "consent"),
        ({"categoryPreferences": {"Ads": False}}, "categoryPreferences"),
        ({"Context": {"consent": GRANTED}}, "Context"),
        ({"contexts": {"Consents": GRANTED}}, "contexts"),
        ({"context": {"Consent": GRANTED}}, "context.Consent"),
        ({"context": {"consents": GRANTED}}, "context.consents"),
        ({"context": {"consnet": GRANTED}}, "context.consnet"),
        ({"context": {"category_preferences": {"Ads": True}}}, "context.category_preferences"),
        ({"context": {"consent": {}, "Consent": GRANTED}}, "context.Consent"),
        ({"properties": {"categoryPreferences": {"Ads": False}}}, "properties.categoryPreferences"),
        ({"properties": {"Category_Preferences": "Ads"}}, "properties.Category_Preferences"),
        ({"properties": {"consentManagement": {"deniedConsentIds": ["Ads"]}}}, "properties.consentManagement"),
        ({"context": {"traits": {"categoryPreferences": {"Ads": True}}}}, "context.traits.categoryPreferences"),
        ({"context": {"traits": {"consent": GRANTED}}}, "context.traits.consent.categoryPreferences"),
        ({"context": {"privacy": {"consent": GRANTED}}}, "context.privacy.consent"),
    ],
)
def test_a_misplaced_statement_counts_as_one_that_cannot_be_read(body: dict[str, Any], path: str) -> None:
    """A stored call is read in the same way."""
    call = read(body)
    named = {name: reason for name, reason in call.ignored_fields.items() if reason != "traits_of_context"}
    assert named == {path: "misspelt_field"}
    assert (call.consent, call.invalid_signals) == ({}, ["consent"])
    assert call.signals == {STATED: TimedSignal([], NOW)}
    stored = content(body, "page", server=False, received=NOW, time=NOW)
    assert (stored.consent, stored.signals, stored.invalid_signals) == (call.consent, call.signals, ["consent"])


@pytest.mark.parametrize(
    "body",
    [
        {"gpc": True},
        {"context": {"GPC": 1}},
        {"context": {"globalPrivacyControl": "true"}},
        {"Context": {"gpc": True}},
        {"Context": {"Gpc": True}},
        *({"properties": {name: True}} for name in ("GPC", "secGpc", "sec-gpc", "Sec-GPC", "globalPrivacyControl")),
        *({"context": {name: "1"}} for name in ("secGpc", "sec-gpc", "SEC_GPC", "HTTP_SEC_GPC")),
        {"Sec-GPC": "1"},
        {"headers": {"sec-gpc": "1"}},
        {"context": {"headers": {"Sec-GPC": "1"}}},
        {"context": {"request": {"headers": {"Sec-GPC": "1"}}}},
        {"properties": {"headers": {"Sec-GPC": "1"}}},
        {"traits": {"gpc": True}},
        {"context": {"traits": {"gpc": True}}},
    ],
)
def test_a_misplaced_privacy_control_opts_out(body: dict[str, Any]) -> None:
    """As under its right name; the call states nothing else."""
    call = read(body)
    assert (call.consent, call.signals, call.invalid_signals) == (None, OUT, ["gpc"])


@pytest.mark.parametrize(
    "body",
    [
        {"consent": {}},
        {"consent": None},
        {"consent": []},
        {"gpc": False},
        {"context": {"GPC": "0"}},
        {"Context": {"traits": {}}},
        {"Context": "x"},
        {"context": {"consentManagement": {"deniedConsentIds": [], "allowedConsentIds": ["a"]}}},
        {"properties": {"consent": True, "consentManager": "acme", "minor": True, "headers": "x", "content": {}}},
        {"properties": {"privacy": {"plan": "x"}, "request": {"id": 1}, "gdpr": True}},
        {"properties": {"GPC": False, "categoryPreferences": None, "uspString": "", "ad_storage": ""}},
        {"traits": {"consent": {"newsletter": False}, "consentManagement": "acme", "minor": True}},
    ],
)
def test_an_empty_statement_denies_nothing(body: dict[str, Any]) -> None:
    """Nor does a misspelt member that is no statement."""
    call = read(body)
    assert (call.consent, call.signals, call.invalid_signals) == (None, {}, [])


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"context": {"usPrivacy": "1YYN"}}, "us_privacy"),
        ({"context": {"us_privacy": "1YYN"}}, "us_privacy"),
        ({"usPrivacy": "1YYN"}, "us_privacy"),
        ({"properties": {"us_privacy": "1YYN"}}, "us_privacy"),
        ({"properties": {"gpc": True}}, "gpc"),
        ({"context": {"consent": {"gpc": True}}}, "consent:gpc"),
        ({"context": {"consent": {"us_privacy": "1YYN"}}}, "consent:us_privacy"),
        *(({"context": {name: "1YYN"}}, "us_privacy") for name in ("uspString", "usp_string", "IABUSPrivacy_String")),
        *(({"properties": {name: "1yyn"}}, "us_privacy") for name in ("uspString", "USPrivacy", "IABUSPrivacy_String")),
        *(({name: "1YYN"}, "us_privacy") for name in ("uspString", "IABUSPrivacy_String", "ccpaString")),
        ({"traits": {"us_privacy": "1YYN"}}, "us_privacy"),
        ({"context": {"regs": {"us_privacy": "1YYN"}}}, "us_privacy"),
        *(
            ({**place}, "us_privacy")
            for regs in [{"regs": {"ext": {"us_privacy": "1YYN"}}}]
            for place in ({"context": regs}, regs, {"properties": regs}, {"context": {"openrtb": regs}})
        ),
        ({"context": {"regs": {"ext": {"gpp": "DBABTA~1YYN"}}}}, "gpp"),
        ({"context": {"user": {"ext": {"doNotSell": "yes"}}}}, "gpc"),
        ({"context": {"consent": {"regs": {"ext": {"us_privacy": "1YYN"}}}}}, "consent:regs"),
        ({"context": {"consent": {"headers": {"Sec-GPC": "1"}}}}, "consent:headers"),
        ({"context": {"consent": {"uspString": "1YYN"}}}, "consent:uspString"),
        ({"context": {"consent": {"IABUSPrivacy_String": "1YYN"}}}, "consent:IABUSPrivacy_String"),
        ({"context": {"IABGPP_HDR_GppString": "DBABTA~1YYN"}}, "gpp"),
        ({"properties": {"IABGPP_HDR_GppString": "DBABTA~1YYN"}}, "gpp"),
        ({"properties": {"gpp_string": "DBABTA~1YYN"}}, "gpp"),
    ],
)
def test_a_readable_opt_out_in_another_place_opts_out(body: dict[str, Any], name: str) -> None:
    """The call lists the signal, and states no categories."""
    call = read(body)
    assert (call.consent, call.signals, call.invalid_signals) == (None, OUT, [name])


def test_the_denials_of_a_consent_mode_in_another_place_count_and_its_grants_do_not() -> None:
    """As those of every signal; a minor in another place is one."""
    denied = read({"context": {"googleConsentMode": {"ad_storage": "denied", "analytics_storage": "granted"}}})
    assert [signal.value for signal in denied.signals.values()] == [False] * len(denied.signals)
    assert denied.signals
    assert "minor" in read({"context": {"minor": True}}).signals


@pytest.mark.parametrize(
    "consent",
    [
        {"usPrivacy": {"version": 1, "uspString": "1YYN"}},
        {"gpp": {"gppString": "DBABTA~1YYN", "sectionList": [6]}},
        {"uspString": {"uspString": "1YYN"}},
    ],
)
def test_an_answer_of_an_interface_of_the_iab_counts_by_its_text(consent: dict[str, Any]) -> None:
    """The object is listed; so it is in another place."""
    call = read({"context": {"consent": consent}})
    assert (call.consent, call.signals) == (None, OUT)
    assert call.invalid_signals
    assert read({"properties": consent}).signals == OUT


@pytest.mark.parametrize(
    "name",
    [
        *("doNotSell", "do_not_sell", "saleOptOut", "SharingOptOut", "ccpa_opt_out", "ccpaOptedOut", "optOut"),
        *("doNotSellMyInfo", "do_not_sell_my_personal_information", "doNotShareMyPersonalInformation", "opted_out"),
        *("doNotSellOrShareMyPersonalInformation", "cpraOptOut", "DoNotSellMyData"),
    ],
)
def test_an_opt_out_of_sale_in_words_opts_out(name: str) -> None:
    """In the context or among properties; a no is listed alone."""
    for place in ("context", "properties"):
        assert read({place: {name: True}}).signals == OUT
        silent = read({place: {name: False}})
        assert (silent.signals, silent.ignored_fields) == ({}, {f"{place}.{name}": "misspelt_field"})


@pytest.mark.parametrize("name", ["doNotSell", "do_not_sell", "ccpaOptOut", "Sec-GPC", "globalPrivacyControl"])
@pytest.mark.parametrize("value", ["Y", "yes", " ON ", "out", 2, "2", [True], {"value": True}, "true,1"])
def test_an_opt_out_in_words_counts_whatever_its_value(name: str, value: object) -> None:
    """The value may be an opt-out; the call lists it, in every place."""
    bodies: list[dict[str, Any]] = [
        {name: value},
        *({place: {name: value}} for place in ("context", "properties", "traits", "headers")),
        {"Context": {name: value}},
        {"context": {"consent": {name: value}}},
        {"consent": {name: value}},
    ]
    for body in bodies:
        call = read(body)
        assert call.signals.items() >= OUT.items()
        assert [each for each in call.invalid_signals if each in ("gpc", f"consent:{name}")]


@pytest.mark.parametrize("value", [False, 0, 0.0, "", " ", None, "no", "N", "off", "FALSE", "0", [], {}])
def test_a_no_is_no_opt_out_in_words(value: object) -> None:
    """Nor is an empty value; no signal is listed."""
    for place in ("context", "properties"):
        call = read({place: {"doNotSell": value}})
        assert (call.signals, call.invalid_signals) == ({}, [])


@pytest.mark.parametrize(
    "consent",
    [
        {"Ads": False, "Mail": True},
        *({name: {"Ads": False}} for name in ("categories", "preferences", "purposes", "choices", "purpose_consents")),
    ],
)
def test_categories_of_another_form_deny_all(consent: dict[str, Any]) -> None:
    """Unless the right form stands beside; a member that is no answer states nothing."""
    call = read({"context": {"consent": consent}})
    assert (call.consent, len(call.invalid_signals)) == ({}, len(consent))
    assert read({"context": {"consent": {**consent, **GRANTED}}}).consent == {"Ads": True}
    for other in ({"provider": "acme", "version": 3}, {"uspString": "1YNN", "Ads": False}, {"minor": False, "x": True}):
        assert read({"context": {"consent": other}}).consent is None


@pytest.mark.parametrize("value", ["true", "1", 1])
def test_a_minor_in_another_form_is_one(value: object) -> None:
    """The value is listed."""
    call = read({"context": {"consent": {"minor": value}}})
    assert (call.signals["minor"].value, call.invalid_signals) == (True, ["minor"])


@pytest.mark.parametrize("place", ["", "context", "properties", "traits", "consent"])
def test_a_type_of_google_in_another_place_counts_if_it_is_denied(place: str) -> None:
    """By itself, and in any spelling; a grant is listed alone."""

    def stated(name: str, value: object) -> dict[str, Any]:
        held: dict[str, Any] = {name: value}
        places = {"": held, "consent": {"context": {"consent": held}}}
        call = read(places.get(place, {place: held}))
        assert call.invalid_signals
        return {signal: each.value for signal, each in call.signals.items()}

    assert stated("ad_storage", "denied") == stated("adStorage", False) == {"gcm:ad_storage": False}
    assert stated("analytics_storage", "denied") == {"analytics": False}
    assert stated("ad_storage", "granted") == stated("gcs", "G100") == {}


@pytest.mark.parametrize("place", ["", "context", "properties"])
def test_what_the_consent_of_an_app_stores_is_listed_and_denies(place: str) -> None:
    """A string counts by its denials; the other names of the IAB are listed."""
    kept = {"IABTCF_TCString": DENYING, "IABTCF_gdprApplies": 1, "IABTCF_PurposeConsents": "0" * 10, "plan": "pro"}
    call = read({place: kept} if place else kept)
    prefix = f"{place}." if place else ""
    assert call.ignored_fields == dict.fromkeys(
        [f"{prefix}{name}" for name in kept if name != "plan"], "misspelt_field"
    )
    assert call.invalid_signals == ["tcf"]
    assert {name: each.value for name, each in call.signals.items()}["ads"] is False


def test_a_group_consents_to_nothing() -> None:
    """Its traits are its own; those in the context are of the person."""
    body = {"groupId": "g", "traits": {"gpc": True}}
    group = extract(body, kind="group", rules=DEFAULT_RULES, received=NOW, sent_at=None, source=Source(1))
    assert (group.signals, group.ignored_fields) == ({}, {})


def test_an_empty_list_is_an_empty_consent() -> None:
    """PHP writes an empty object so; nothing is stated, and nothing is listed."""
    call = read({"context": {"consent": [], "consentManagement": []}})
    assert (call.consent, call.invalid_signals) == (None, [])


def test_the_statement_in_the_right_place_counts() -> None:
    """The other one is listed."""
    call = read({"consent": {"categoryPreferences": {"Mail": True}}, "context": {"consent": GRANTED}})
    assert (call.consent, call.signals) == ({"Ads": True}, {STATED: TimedSignal(["Ads"], NOW)})
    assert (call.ignored_fields, call.invalid_signals) == ({"consent": "misspelt_field"}, ["consent"])
