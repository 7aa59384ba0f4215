"""Statements of consent among members of the customer's own are found by their names."""

from typing import Any

import pytest

from identity.values.fields.consent_names import is_holder, statements_elsewhere


def found(members: dict[str, Any], *, of_traits: bool = False) -> dict[str, str]:
    """The path that is read by the path of each statement."""
    return {each.path: each.right for each in statements_elsewhere(members, "p.", of_traits=of_traits)}


@pytest.mark.parametrize(
    ("name", "right"),
    [
        *((name, "context.gpc") for name in ("gpc", "GPC", "Sec-GPC", "secGpc", "HTTP_SEC_GPC")),
        *((name, "context.consent.usPrivacy") for name in ("uspString", "us_privacy", "IABUSPrivacy_String")),
        *((name, "context.consent.tcf") for name in ("euconsent-v2", "IABTCF_TCString", "IABTCF_CmpSdkID")),
        *((name, "context.consent.gpp") for name in ("gpp_string", "IABGPP_HDR_GppString", "IABGPP_GppSID")),
        ("ad_storage", "context.consent.googleConsentMode.ad_storage"),
        ("categoryPreferences", "context.consent.categoryPreferences"),
    ],
)
def test_a_statement_is_found_by_any_of_its_names(name: str, right: str) -> None:
    """In an object that may hold some, too; an absent value states nothing."""
    assert found({name: "x", "plan": "pro"}) == {f"p.{name}": right}
    assert found({"privacy": {"headers": {name: "x"}}}) == {f"p.privacy.headers.{name}": right}
    assert found({name: None, "privacy": {"a": {name: "x"}}}) == {}
    assert found({f"q{n}": n for n in range(100)} | {name: "x"}) == {f"p.{name}": right}


def test_a_value_of_the_customers_own_is_no_statement() -> None:
    """A consent that is no object, a minor, and other words."""
    own = {"consent": True, "consentManager": "acme", "minor": True, "content": {}, "gdpr": True, "iabella": 1}
    assert found(own) == found(own, of_traits=True) == {}


def test_a_consent_among_traits_is_read_by_its_members() -> None:
    """An object of that name among properties is a statement."""
    consent = {"consent": {"newsletter": False, "categoryPreferences": {}}}
    assert found(consent) == {"p.consent": "context.consent"}
    assert found(consent, of_traits=True) == {"p.consent.categoryPreferences": "context.consent.categoryPreferences"}


def test_only_known_objects_hold_statements() -> None:
    """A product may have a member of any name."""
    assert [is_holder(name) for name in ("headers", "Privacy", "page", "gpc")] == [True, True, False, False]
