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
        {"context": {"consentManagement": {"deniedConsentIds": ["a"]}}},
    ],
)
def test_an_empty_statement_denies_nothing(body: dict[str, Any]) -> None:
    """Nor does a misspelt member that is no statement."""
    call = read(body)
    assert (call.consent, call.signals, call.invalid_signals) == (None, {}, [])


def test_the_statement_in_the_right_place_counts() -> None:
    """The other one is listed."""
    call = read({"consent": {"categoryPreferences": {"Mail": True}}, "context": {"consent": GRANTED}})
    assert (call.consent, call.signals) == ({"Ads": True}, {STATED: TimedSignal(["Ads"], NOW)})
    assert (call.ignored_fields, call.invalid_signals) == ({"consent": "misspelt_field"}, ["consent"])
