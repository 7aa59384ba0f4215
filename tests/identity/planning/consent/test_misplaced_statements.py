"""A statement of consent under a misspelt name, or in another place, denies and never grants."""

from typing import Any

import pytest

from identity.planning.resolution.extract import content, extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Source
from identity.values.documents import STATED, TimedSignal
from identity.values.stamps import Micros

NOW = Micros(1_735_689_600 * MICRO)
GRANTED = {"categoryPreferences": {"Ads": True}}
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
    ],
)
def test_a_misplaced_statement_counts_as_one_that_cannot_be_read(body: dict[str, Any], path: str) -> None:
    """A stored call is read in the same way."""
    call = read(body)
    assert call.ignored_fields == {path: "misspelt_field"}
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
        {"properties": {"consent": True}},
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


def test_the_denied_ids_of_a_consent_manager_of_rudderstack_deny() -> None:
    """Beside a statement of categories too; the allowed ids of a call without one are granted."""
    managed = {"allowedConsentIds": ["Mail"], "deniedConsentIds": ["Ads"], "provider": "custom"}
    assert read({"context": {"consentManagement": managed}}).consent == {"Mail": True, "Ads": False}
    assert read({"context": {"consentManagement": managed, "consent": GRANTED}}).consent == {"Ads": False}
    assert read({"context": {"consentManagement": {"deniedConsentIds": "Ads"}}}).consent == {}


@pytest.mark.parametrize(
    "body",
    [
        *({"context": {name: {"deniedConsentIds": ["Ads"]}}} for name in ("consent_management", "ConsentManagement")),
        *(
            {"context": {"consentManagement": {name: ["Ads"]}}}
            for name in ("deniedConsentIDs", "denied_consent_ids", "DeniedConsentIds", "deniedConsentId")
        ),
        *(
            {"context": {"consentManagement": value}}
            for value in (["Ads"], "denied", {"deniedConsentIds": "Ads"}, {"deniedConsentIds": ["Mail", 5]})
        ),
        {"consentManagement": {"deniedConsentIds": ["Ads"]}},
        {"context": {"consent": {"consentManagement": {"deniedConsentIds": ["Ads"]}}}},
    ],
)
def test_a_consent_manager_that_cannot_be_read_denies_all(body: dict[str, Any]) -> None:
    """By its spelling, its form or its place; the call lists it."""
    call = read(body)
    assert call.consent == {}
    assert [name.partition(":")[0] for name in call.invalid_signals] == ["consent"]


def test_an_empty_list_is_an_empty_consent() -> None:
    """PHP writes an empty object so; nothing is stated, and nothing is listed."""
    call = read({"context": {"consent": [], "consentManagement": []}})
    assert (call.consent, call.invalid_signals) == (None, [])


def test_the_statement_in_the_right_place_counts() -> None:
    """The other one is listed."""
    call = read({"consent": {"categoryPreferences": {"Mail": True}}, "context": {"consent": GRANTED}})
    assert (call.consent, call.signals) == ({"Ads": True}, {STATED: TimedSignal(["Ads"], NOW)})
    assert (call.ignored_fields, call.invalid_signals) == ({"consent": "misspelt_field"}, ["consent"])
