"""An answer in plain words denies unless it is a clear yes; a name of the customer's own denies only by a clear no."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.plain_answers import has_denial, is_empty, may_deny

YES = (True, 1, 1.0, "yes", " Granted ", "Opted-In", "allow_all", "marketing:yes,analytics:true")
NO = (False, 0, "0", "no", "Opted out", "WITHDRAWN", "necessary only", "reject_all", "marketing:no")
UNCLEAR = (7, "C0001", ",C0001,", "pending", "2026-01-31", "eyJ1c2VyX2lkIjoiMTgi")
EMPTY: tuple[object, ...] = (None, "", " \t", [], {})


@pytest.mark.parametrize("answer", YES)
def test_a_clear_yes_denies_nothing(answer: object) -> None:
    """As a boolean, a number, a word or a list of pairs in a text, and as the member of a record."""
    for value in (answer, {"ads": answer if isinstance(answer, (bool, str)) else True}):
        assert (is_empty(value), may_deny(value), has_denial(value)) == (False, False, False)


@pytest.mark.parametrize("answer", NO)
def test_a_clear_no_denies_by_any_name(answer: object) -> None:
    """Also within a record or a list, beside any number of clear yeses."""
    for value in (answer, {"ads": answer}, [answer], {"a": "yes", "b": [{"c": True, "d": answer}]}):
        assert (is_empty(value), may_deny(value), has_denial(value)) == (False, True, True)


@pytest.mark.parametrize("answer", UNCLEAR)
def test_an_answer_that_nobody_can_read_may_be_a_withdrawal(answer: object) -> None:
    """It denies under a name of consent, and not under a name that may be the customer's own."""
    for value in (answer, {"a": answer}, [answer]):
        assert (may_deny(value), has_denial(value)) == (True, False)


@pytest.mark.parametrize("answer", EMPTY)
def test_an_empty_answer_states_nothing(answer: object) -> None:
    """Neither a yes nor a no."""
    assert (is_empty(answer), may_deny(answer), has_denial(answer)) == (True, False, False)


@pytest.mark.parametrize(
    ("record", "denies"),
    [
        ({"disabled": ["ads"]}, True),
        ({"enabled": ["a"], "rejected": {"ads": 1}}, True),
        ({"denied": "ads"}, True),
        ({"disabled": [], "enabled": True}, False),
        ({"denied": True, "ads": True}, False),
    ],
)
def test_a_list_of_the_denied_is_a_no(record: dict[str, Any], denies: bool) -> None:  # noqa: FBT001
    """An empty list denies nothing."""
    assert has_denial(record) is denies


def test_a_one_within_a_record_is_no_yes_and_a_zero_is_a_no() -> None:
    """The one may be a version or a count."""
    assert may_deny({"version": 1})
    assert not has_denial({"version": 1})
    assert has_denial({"ads": 0})


def test_a_record_too_deep_to_read_counts_as_a_no() -> None:
    """Four records within one another are read, a fifth is read with its answers, a sixth is not."""
    value: object = True
    for _ in range(5):
        value = {"a": value}
    assert not has_denial(value)
    assert has_denial({"a": value})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=12) | st.sampled_from(NO + YES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)


@given(VALUES)
def test_a_clear_no_may_always_deny(value: object) -> None:
    """What denies by a name of the customer's own denies by every name, and nothing empty denies."""
    assert may_deny(value) >= has_denial(value)
    assert not (is_empty(value) and may_deny(value))
