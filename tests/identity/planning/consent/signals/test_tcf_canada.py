"""Section 5 of a GPP string: express and implied consent apart, and vendors in one of two codes."""

import pytest

from identity.planning.consent.signals.tcf_canada import decode, statements
from identity.planning.consent.signals.vendors import Vendors
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import (
    ALL,
    DECISECOND,
    NOW,
    fibonacci,
    field,
    letters,
    number,
    text_of,
    vendors,
)

ALL_CLASSES = ("ads", "analytics", "personalisation")
FIXED = vendors(Vendors(3, 0b101)) + vendors(Vendors(9, 0, ((1, 3), (5, 9)))) + number(0, 12)
PUBLISHED = (number(9, 16) + "1" + number(1, 12) + "1" + fibonacci(2) + fibonacci(3)) * 2 + number(0, 12)


def section(express: set[int], implied: set[int], rest: str = FIXED) -> str:
    """A core with these consents; `rest` are its vendors and restrictions."""
    times = number(NOW // DECISECOND, 36) * 2
    head = number(1, 6) + times + number(0, 30) + letters("EN") + number(0, 19) + field((), 12)
    return text_of(head + field(express, 24) + field(implied, 24) + rest)


@pytest.mark.parametrize(
    ("express", "implied", "stated"),
    [
        (set(ALL), set(), dict.fromkeys(ALL_CLASSES, True)),
        (set(), set(ALL), {}),
        (set(), set(), dict.fromkeys(ALL_CLASSES, False)),
        ({2, 3, 4, 7}, {5, 6}, {"ads": True, "analytics": False}),
        ({2, 3, 4}, {7, 8, 9, 10}, {"personalisation": False}),
    ],
)
def test_express_consent_grants_and_implied_consent_states_nothing(
    express: set[int], implied: set[int], stated: dict[str, bool]
) -> None:
    """A class without either consent to one of its purposes is denied."""
    assert statements(decode(section(express, implied), NOW)) == stated


@pytest.mark.parametrize("rest", [FIXED, PUBLISHED])
def test_vendors_are_read_in_either_code(rest: str) -> None:
    """In Fibonacci code as published, and fixed as older encoders write."""
    assert decode(section({2}, {5}, rest), NOW).express == {2}


@pytest.mark.parametrize(
    "text",
    [
        "", section(set(ALL), set())[:40], section(set(ALL), set(), FIXED + "1" * 12), section(set(ALL), set()) + ".A",
        section(set(ALL), set()) + ".IAAA.IAAA", "C" + section(set(ALL), set())[1:],
    ],
)  # fmt: skip
def test_a_section_that_fits_neither_code_is_refused_whole(text: str) -> None:
    """As is one that is cut, has a wrong version or repeats a segment."""
    with pytest.raises(BadSignal):
        decode(text, NOW)
