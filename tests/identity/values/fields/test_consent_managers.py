"""The names of consent managers: each has one place that is read, and counts by its exact letters."""

from collections import Counter

import pytest

from identity.values.fields.consent_managers import (
    ANSWERS,
    CATEGORY_ANSWERS,
    MANAGERS,
    OTHERS,
    RECORDS,
    WITHDRAWALS,
    exact_names,
)
from identity.values.fields.names import bare

MINOR = "context.consent.minor"


def test_a_name_has_one_place_or_is_the_record_of_a_product() -> None:
    """A name of two lists counts as the record, which denies more than a general answer does."""
    places = Counter(name for spellings in OTHERS.values() for name in {*spellings.split()})
    read = exact_names()
    assert {read[name] for name, times in places.items() if times > 1} <= {RECORDS}


def test_each_name_is_written_as_names_are_compared() -> None:
    """In small letters and digits alone: another spelling would never be found."""
    names = [*" ".join([*OTHERS.values(), CATEGORY_ANSWERS]).split(), *MANAGERS]
    assert [name for name in names if bare(name) != name] == []


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("consentGiven", ANSWERS),
        ("has_consent", ANSWERS),
        ("cookiesAccepted", ANSWERS),
        ("OnetrustActiveGroups", RECORDS),
        ("CookieConsent", RECORDS),
        ("cookieyes-consent", RECORDS),
        ("didomi_token", RECORDS),
        ("consent_denied", WITHDRAWALS),
        ("rejected_cookies", WITHDRAWALS),
        ("gdprConsentWithdrawn", WITHDRAWALS),
        ("tag_for_under_age_of_consent", MINOR),
        ("coppa", MINOR),
    ],
)
def test_a_name_says_which_place_is_read(name: str, right: str) -> None:
    """An answer, the record of a product, a denial by its name, or the age of the person."""
    assert exact_names()[bare(name)] == right


def test_names_of_the_customer_are_none_of_them() -> None:
    """The id, the time and the version of a consent; a category is one only where it is asked for."""
    own = ("consentId", "consentDate", "consentVersion", "userContent", "cookies", "state", "preferences")
    assert not exact_names().keys() & {bare(name) for name in own}
    assert "marketingconsent" not in exact_names()
    assert exact_names(CATEGORY_ANSWERS)["marketingconsent"] == ANSWERS


def test_a_name_of_the_lists_keeps_its_place_beside_more_names() -> None:
    """More names are answers; a record stays a record."""
    assert exact_names("onetrust more")["onetrust"] == RECORDS
    assert exact_names("onetrust more")["more"] == ANSWERS
    assert exact_names().items() <= exact_names(CATEGORY_ANSWERS).items()
