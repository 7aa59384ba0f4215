"""A denial under a name that states an answer by its words, or in a form of another place, denies all categories."""

from typing import Any

import pytest

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Kind, Source
from identity.values.fields.field_names import shared_statements
from identity.values.stamps import Micros

NOW = Micros(1_735_689_600 * MICRO)


def read(body: dict[str, Any], kind: Kind = "identify") -> Call:
    """The call in a body of a browser."""
    return extract(body, kind=kind, rules=DEFAULT_RULES, received=NOW, sent_at=None, source=Source(1))


@pytest.mark.parametrize(
    "members",
    [
        *({name: True} for name in ("hasOptedOut", "opt_out_tracking", "analyticsOptOut", "rejectAll")),
        *(
            {name: False}
            for name in ("optIn", "marketingOptIn", "didConsent", "ccpaConsent", "acceptAll", "sp_consent")
        ),
        {"consentResult": "rejected"},
        {"consent_revoked_at": "2026-11-30"},
        {"deniedConsents": ["Ads"]},
    ],
)
def test_a_denial_by_the_words_of_its_name_denies_all(members: dict[str, Any]) -> None:
    """In a context, a consent, cookies, a list of a data layer, integrations and options."""
    (name,) = members
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"context": members}, f"context.{name}"),
        (members, name),
        ({"context": {"cookies": members}}, f"context.cookies.{name}"),
        ({"context": {"dataLayer": [{"event": "x"}, members]}}, f"context.dataLayer.{name}"),
        ({"context": {"cmp": members}}, f"context.cmp.{name}"),
        ({"integrations": {"OneTrust": members}}, f"integrations.OneTrust.{name}"),
        ({"options": members}, f"options.{name}"),
    ]
    for body, path in bodies:
        call = read(body)
        assert (call.consent, call.ignored_fields.get(path)) == ({}, "misspelt_field"), body
    assert read({"context": {"consent": members}}).consent == {}


@pytest.mark.parametrize("place", ["properties", "traits"])
def test_such_a_name_among_properties_and_traits_is_the_customers_own(place: str) -> None:
    """A wish for a newsletter is no answer on analytics."""
    kind: Kind = "identify" if place == "traits" else "track"
    call = read({place: {"marketingOptIn": False, "hasOptedOut": True}, "event": "x"}, kind)
    assert (call.consent, call.ignored_fields.keys() - {"event"}) == (None, set())


def test_the_opposite_answer_grants_nothing() -> None:
    """Under each kind of name."""
    for members in ({"hasOptedOut": False}, {"optIn": True}, {"rejectAll": False}, {"hasOptedOut": "email"}):
        call = read({"context": members})
        assert (call.consent, call.signals) == (None, {})


@pytest.mark.parametrize(
    "context",
    [
        {"cookies": "a=b; OptanonConsent=groups%3DC0002%3A0"},
        {"headers": {"Cookie": "CookieConsent=rejected"}},
        {"cmp": {"status": "denied"}},
        {"gdpr": {"granted": False}},
        {"privacySettings": {"Ads": False}},
        {"cc_cookie": {"categories": ["necessary"]}},
    ],
)
def test_a_denial_in_the_form_of_its_place_denies_all(context: dict[str, Any]) -> None:
    """The header of the cookies, and the object of a consent manager with its own words."""
    assert read({"context": context}).consent == {}


def test_words_that_deny_nothing_state_nothing() -> None:
    """The state of the manager, a destination that is left out, and the cookies of others."""
    for body in (
        {"context": {"cmp": {"status": "loaded"}}},
        {"context": {"cookies": "theme=dark; lang=no", "user": {"status": "denied"}}},
        {"integrations": {"OneTrust": False, "Consent": False, "All": True}},
    ):
        assert read(body).consent is None


def test_the_denial_counts_among_categories_of_the_same_letters() -> None:
    """No two purposes differ in capitals, blanks, hyphens and underscores alone."""
    preferences = {"Ads": True, "ADS": False, "Site Stats": True, "site_stats": "no", "Mail": True, "mail ": None}
    call = read({"context": {"consent": {"categoryPreferences": preferences}}})
    assert call.consent == {"Ads": False, "ADS": False, "Site Stats": False, "Mail": True}


def test_decisions_beside_a_batch_belong_to_each_call() -> None:
    """As those in a call."""
    assert shared_statements({"batch": [], "decisions": {"Ads": False}}) == {"decisions": {"Ads": False}}
