"""A region is one that exists, in one form."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.regions import COUNTRIES, SUBDIVISIONS, UNREADABLE, parse_region, region_hint

# Codes of libphonenumber that ISO 3166-1 lacks.
OF_PHONES = {"AC", "TA"}


def test_the_table_has_every_country() -> None:
    """249 of ISO 3166-1 and Kosovo; every country with phone numbers is among them."""
    assert len(COUNTRIES) == 250
    assert phonenumbers.SUPPORTED_REGIONS - COUNTRIES == OF_PHONES
    assert {country: len(parts) for country, parts in SUBDIVISIONS.items()} == {"US": 57, "CA": 13}


@pytest.mark.parametrize(
    ("value", "region"),
    [
        ("DE", "DE"),
        (" de ", "DE"),
        ("us-ca", "US-CA"),
        ("CA-QC", "CA-QC"),
        ("GB-ENG", "GB-ENG"),
        ("FR-75", "FR-75"),
        ("XX", None),
        ("XX-99", None),
        ("UK", None),
        ("EU", None),
        ("US-XX", None),
        ("US-99", None),
        ("CA-CA", None),
        ("USA", None),
        ("Germany", None),
        ("DE-", None),
        ("DE-BYAX", None),
        ("", None),
        (UNREADABLE, None),
        (49, None),
        (None, None),
        (["DE"], None),
    ],
)
def test_a_region_exists(value: object, region: str | None) -> None:
    """Subdivisions are checked where the table has them."""
    assert parse_region(value) == region


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("UK", "Did you mean GB?"),
        ("uk-eng", "Did you mean GB-ENG?"),
        ("USA", "Did you mean US?"),
        ("US_CA", "Did you mean US-CA?"),
        ("us", "Did you mean US?"),
        ("us-ca", "Did you mean US-CA?"),
        (" De ", "Did you mean DE?"),
        ("us-cal", "Did you mean US-CA?"),
        ("TX", "Did you mean US-TX?"),
        ("US-XX", "Did you mean US?"),
        ("XX-99", "ISO 3166 has no XX-99."),
        ("Ann Smith", "Write the two letters of the country, alone or with its subdivision, as ISO 3166 has them."),
        (None, "Write the two letters of the country, alone or with its subdivision, as ISO 3166 has them."),
    ],
)
def test_the_hint_names_the_region_that_was_meant(value: object, hint: str) -> None:
    """A value that is no code is never repeated."""
    assert region_hint(value) == hint


@given(st.one_of(st.text(max_size=8), st.text("ABCDEUSX-_ 19", max_size=6)))
def test_a_hinted_region_exists(value: str) -> None:
    """Whatever was written."""
    hint = region_hint(value)
    if hint.startswith("Did you mean"):
        meant = hint.removeprefix("Did you mean ").removesuffix("?")
        assert parse_region(meant) == meant
