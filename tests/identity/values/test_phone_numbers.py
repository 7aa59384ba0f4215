"""A phone number is an identifier where it is one line of one region, in every form in which it is written."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from identity.values.identifiers import parse
from identity.values.phone_numbers import phone_number, stored_phone_number

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = [type_ for type_ in PhoneNumberType.values() if type_ != PhoneNumberType.UNKNOWN]
# Seven digits are a length for local dialling in North America; 310 numbers have it as their only one.
WITHOUT_AREA_CODE = {("CA", PhoneNumberType.UAN)}


def digits(text: str) -> str:
    """Only the digits of a text."""
    return phonenumbers.normalize_digits_only(text)


@pytest.mark.parametrize("region", REGIONS)
def test_the_example_numbers_of_a_region_are_kept_in_every_complete_form(region: str) -> None:
    """E.164, international, with 00, and as the region writes its own numbers; nothing less than possible is kept."""
    for type_ in TYPES:
        number = phonenumbers.example_number_for_type(region, type_)
        if number is None or (region, type_) in WITHOUT_AREA_CODE:
            continue
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        forms = [
            e164,
            "00" + e164[1:],
            phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
            phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        ]
        assert [phone_number(form, region) for form in forms] == [e164] * 4
        assert [phone_number(form, "US") for form in forms[:3]] == [e164] * 3
        bare = phonenumbers.national_significant_number(number)
        assert phone_number(bare, region) in (None, e164)
        for end in range(1, len(bare)):
            kept = phone_number(bare[:end], region)
            assert kept is None or phonenumbers.is_valid_number(phonenumbers.parse(kept))


@pytest.mark.parametrize("region", REGIONS)
def test_a_number_without_its_area_code_joins_no_other_town(region: str) -> None:
    """Kept only where the region has one area code, which the library adds."""
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.FIXED_LINE)
    area = 0 if number is None else phonenumbers.length_of_geographical_area_code(number)
    if number is None or not area:
        return
    whole = phonenumbers.national_significant_number(number)
    kept = phone_number(whole[area:], region)
    assert kept is None or digits(kept).endswith(whole), "the region has one area code"


@pytest.mark.parametrize(
    ("region", "number"),
    [
        ("DE", "555123"), ("DE", "1234567"), ("DE", "30123456"), ("BR", "3333-4444"), ("CN", "8888 7777"),
        ("GB", "555 1234"), ("GB", "7946 0958"), ("US", "555-2671"), ("AT", "5123456"), ("AT", "12345"),
        ("AU", "98765432"), ("JP", "12345678"), ("IN", "23456789"), ("RU", "1234567"), ("AR", "4444 5555"),
        ("MX", "5555 1234"), ("FI", "1234567"), ("SE", "123 45 67"), ("TR", "555 12 34"), ("KR", "234-5678"),
        ("ID", "8350123"), ("MY", "4234 5678"), ("IE", "221 2345"), ("IL", "2123456"), ("HR", "1234567"),
    ],
)  # fmt: skip
def test_a_local_number_is_nobodys(region: str, number: str) -> None:
    """What people write for their own town."""
    assert phone_number(number, region) is None


@pytest.mark.parametrize(
    ("region", "number", "e164"),
    [
        ("DE", "030 123456", "+4930123456"), ("DE", "(0)30 123456", "+4930123456"),
        ("DE", "1512 3456789", "+4915123456789"), ("FR", "6 12 34 56 78", "+33612345678"),
        ("GB", "020 7946 0958", "+442079460958"), ("GB", "7911 123456", "+447911123456"),
        ("BR", "(11) 91234-5678", "+5511912345678"), ("CN", "010 8888 7777", "+861088887777"),
        ("RU", "8 (912) 345-67-89", "+79123456789"), ("RU", "912 345 67 89", "+79123456789"),
        ("IT", "06 1234567", "+39061234567"), ("ES", "612 34 56 78", "+34612345678"),
        ("US", "(415) 555-2671", "+14155552671"),
        ("JP", "03-1234-5678", "+81312345678"), ("IN", "98765 43210", "+919876543210"),
        ("DE", "+49 555123", "+49555123"),
    ],
)  # fmt: skip
def test_a_complete_national_number_is_kept(region: str, number: str, e164: str) -> None:
    """With the trunk prefix, or without where no local number is as long."""
    assert phone_number(number, region) == e164


@given(st.sampled_from(REGIONS), st.text("0123456789+ -()", min_size=2, max_size=17))
def test_a_kept_number_is_valid_and_reads_as_itself(region: str, text: str) -> None:
    """Whatever was written; no spelling of one number gives two."""
    kept = phone_number(text, region)
    if kept is not None:
        assert phonenumbers.is_valid_number(phonenumbers.parse(kept))
        assert (phone_number(kept, region), phone_number(kept, "US")) == (kept, kept)
        assert stored_phone_number(text, region) == kept


@pytest.mark.parametrize(
    ("region", "number", "stored"), [("DE", "555123", "+49555123"), ("GB", "+445551234", "+445551234")]
)
def test_a_number_of_an_earlier_release_is_still_looked_up(region: str, number: str, stored: str) -> None:
    """Its profile is found, exported and erased by the value that was sent."""
    assert parse(f"phone:{number}", region).value == stored


@pytest.mark.parametrize(
    "text", ["+" * 240, "1" * 240, "+1" * 60, "[" * 65, "+" * 60, "1", "+49" + " " * 70 + "30123456"]
)
def test_the_library_never_sees_what_is_no_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library takes milliseconds for some texts, so their length and their digits are looked at first."""
    monkeypatch.setattr(phonenumbers, "parse", None)

    assert phone_number(text, "DE") is None
    assert stored_phone_number(text, "DE") is None
