"""A statement in the place of OpenRTB, of preferences or within a consent denies, and so does an odd `gpc`."""

from typing import Any

import pytest

from identity.planning.consent.signals.tcf import FIRST
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Source
from identity.values.documents import TimedSignal
from identity.values.stamps import Micros
from tests.identity.planning.consent.signals.encoding import encode, granting

NOW = Micros(1_735_689_600 * MICRO)
GRANTED = {"categoryPreferences": {"Ads": True}}
DENYING = encode(granting(last_updated=FIRST, purposes_consent=frozenset()))
OUT = {"out:ads": TimedSignal(value=False, time=NOW), "out:sale_share": TimedSignal(value=False, time=NOW)}


def read(body: dict[str, Any]) -> Call:
    """The call in a body of a browser."""
    return extract(body, kind="page", rules=DEFAULT_RULES, received=NOW, sent_at=None, source=Source(1))


@pytest.mark.parametrize("user", [{"consent": DENYING}, {"ext": {"consent": DENYING}}])
def test_a_string_in_the_place_of_openrtb_denies(user: dict[str, Any]) -> None:
    """The classes that the string denies."""
    for body in ({"context": {"user": user}}, {"user": user}, {"properties": {"user": user}}):
        call = read(body)
        assert (call.invalid_signals, call.signals["ads"].value) == (["tcf"], False)


@pytest.mark.parametrize("value", ["COx", "yes", "I agree to all of the terms", True, 7, 1.5, ["x"], DENYING[:-9]])
@pytest.mark.parametrize("place", [("user",), ("user", "ext"), ("regs", "ext"), ("ortb2", "user", "ext")])
def test_a_value_in_the_place_of_a_string_that_is_none_is_listed(place: tuple[str, ...], value: object) -> None:
    """As one in the right place is: the signal is invalid and states nothing."""
    held: dict[str, Any] = {"consent": value}
    for name in reversed(place):
        held = {name: held}
    for body in ({"context": held}, held, {"properties": held}):
        call = read(body)
        assert (call.invalid_signals, call.consent, call.signals) == (["tcf"], None, {})
        assert list(call.ignored_fields.values()) == ["misspelt_field"]


@pytest.mark.parametrize("value", [False, 0, "0", "false", "denied", "No", "rejected"])
@pytest.mark.parametrize("held", [{"user": {"ext": {"consent": 0}}}, {"gdpr_consent": 0}, {"regs": {"tcString": 0}}])
def test_a_no_in_the_place_of_a_string_denies_all(held: dict[str, Any], value: object) -> None:
    """The sender means the person's answer, and the string stays listed as invalid."""
    for body in ({"context": put(held, value)}, put(held, value), {"properties": put(held, value)}):
        call = read(body)
        assert (call.invalid_signals, call.consent) == (["consent", "tcf"], {})


def put(held: dict[str, Any], value: object) -> dict[str, Any]:
    """The object with a value in the place of its zero."""
    return {name: put(each, value) if isinstance(each, dict) else value for name, each in held.items()}


@pytest.mark.parametrize(
    "body",
    [
        *({"context": {name: {"Ads": False}}} for name in ("consentPreferences", "consent_preferences", "preferences")),
        {"consentPreferences": {"Ads": False}},
        {"context": {"consent": {"consent": GRANTED}}},
        {"context": {"consent": {"consent": False}}},
        {"context": {"consent": {"consents": {"Ads": False}, "jurisdiction": "DE"}}},
    ],
)
def test_preferences_of_another_name_and_a_consent_within_a_consent_deny_all(body: dict[str, Any]) -> None:
    """The call lists the member."""
    call = read(body)
    assert call.consent == {}
    assert [each for each in call.invalid_signals if each.startswith("consent")]


def test_preferences_of_an_application_are_no_consent() -> None:
    """Nor is an empty consent within one; a signal within it counts."""
    settings: list[object] = [{"theme": "dark"}, {}, "x", []]
    for own in settings:
        assert read({"context": {"preferences": own}}).ignored_fields == {}
    nested = read({"context": {"consent": {"consent": {}, "gpp": None}}})
    assert (nested.consent, nested.signals) == (None, {})
    deep: dict[str, Any] = {"usPrivacy": "1YYN"}
    assert read({"context": {"consent": {"consent": deep}}}).signals.items() >= OUT.items()
    for _ in range(600):
        deep = {"consent": deep}
    assert read({"context": {"consent": deep}}).consent == {}


@pytest.mark.parametrize("value", ["Y", "yes", 2, [True], {"value": 1}, "true,1"])
def test_a_privacy_control_that_cannot_be_read_opts_out(value: object) -> None:
    """As `doNotSell` of this value does: in its right place, and in another one."""
    bodies: list[dict[str, Any]] = [
        {"gpc": value},
        *({place: {"gpc": value}} for place in ("context", "Context", "headers", "consent")),
        {"context": {"GPC": value}},
        {"context": {"consent": {"gpc": value}}},
    ]
    for body in bodies:
        call = read(body)
        assert call.signals.items() >= OUT.items()
        assert call.invalid_signals


@pytest.mark.parametrize(
    "body",
    [
        {"context": {"gpc": "no"}},
        *({place: {"GPC": "Apparel"}} for place in ("properties", "traits")),
        {"context": {"traits": {"gpc": [True]}}},
    ],
)
def test_a_privacy_control_that_is_no_opt_out_and_cannot_be_read_is_listed(body: dict[str, Any]) -> None:
    """Among properties and traits the name may be that of something else."""
    call = read(body)
    assert (call.signals, call.invalid_signals) == ({}, ["gpc"])
