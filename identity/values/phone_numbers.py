"""Reads phone numbers: E.164 for a number that is one line of one region, and nothing for any other.

A number counts only where libphonenumber calls it valid for its region. A national number must be complete: without
its area code the same digits are another line in every town, and the digits of one town may look like the area code
of another. So a number that its region writes with a trunk prefix, and that lacks the prefix, counts only where it
is longer than any number within a town.
"""

from typing import Final

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneNumber, PhoneNumberFormat, ValidationResult

_PUNCTUATION: Final = {ord(c): None for c in " ().-\u00a0\u2010\u2011\u2012\u2013"}
_LONGER_THAN_LOCAL: Final = 10
# A number has 15 digits and a prefix of at most five to leave a country; the rest of a text is punctuation.
LONGEST_TEXT: Final = 64
_DIGITS: Final = range(2, 33)
_WITH_COUNTRY_CODE = frozenset({CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN, CountryCodeSource.FROM_NUMBER_WITH_IDD})


def phone_number(text: str, region: str) -> str | None:
    """The E.164 form of a valid and complete number; None for any other text."""
    return _settled(text, region, valid=True)


def stored_phone_number(text: str, region: str) -> str | None:
    """The E.164 form of a number that releases up to 0.1 accepted: of a possible length, and perhaps not valid.

    Look-ups and erasures read such numbers, so that what is stored under one is found.
    """
    return _settled(text, region, valid=False)


def _settled(text: str, region: str, *, valid: bool) -> str | None:
    if not _is_shaped(text):
        return None
    text = text.translate(_PUNCTUATION)
    if text.startswith("00"):
        text = "+" + text[2:]
    number = _e164(text, region, valid=valid)
    # The library drops doubtful zeros one at a time: a value that still changes is no number.
    return number if number is None or number == text or number == _e164(number, region, valid=valid) else None


def _is_shaped(text: str) -> bool:
    """Whether a text may be a number at all: the library takes a millisecond to refuse what this sees at once.

    Letters are words around a number, a vanity number or an extension: not the line of one person.
    """
    if len(text) > LONGEST_TEXT or any(c.isalpha() for c in text):
        return False
    return sum(c.isdecimal() for c in text) in _DIGITS


def _e164(text: str, region: str, *, valid: bool) -> str | None:
    try:
        number = phonenumbers.parse(text, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if number.extension or reason != ValidationResult.IS_POSSIBLE:
        return None
    if len(set(phonenumbers.national_significant_number(number))) == 1:
        return None
    if valid and not (phonenumbers.is_valid_number(number) and _is_complete(number, text)):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_complete(number: PhoneNumber, text: str) -> bool:
    """Whether a valid number cannot be the number of a town without its area code."""
    if number.country_code_source in _WITH_COUNTRY_CODE:
        return True
    given = phonenumbers.normalize_digits_only(text)
    if len(given) >= _LONGER_THAN_LOCAL:
        return True
    significant = phonenumbers.national_significant_number(number)
    written = phonenumbers.normalize_digits_only(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    if given == significant == written:
        return True
    if given != significant and number.country_code_source == CountryCodeSource.FROM_DEFAULT_COUNTRY:
        return True
    region = phonenumbers.region_code_for_number(number)
    plan = None if region is None else phonenumbers.PhoneMetadata.metadata_for_region(region)
    lengths = () if plan is None or plan.fixed_line is None else plan.fixed_line.possible_length
    if plan is not None and plan.general_desc is not None:
        lengths = lengths or plan.general_desc.possible_length
    return bool(lengths) and len(given) >= max(lengths)
