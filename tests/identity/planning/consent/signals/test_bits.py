"""Bits are read in order, in portions of any size, and Fibonacci codes follow the specification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals.bits import Bits
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import ALPHABET, bits_of, fibonacci, number, text_of


@given(st.text(ALPHABET, min_size=1, max_size=60), st.lists(st.integers(0, 40)))
def test_bits_come_in_order_in_portions_of_any_size(text: str, portions: list[int]) -> None:
    """A portion beyond the end is refused."""
    bits, expected, at = Bits(text), bits_of(text), 0
    for size in portions:
        if at + size > len(expected):
            with pytest.raises(BadSignal):
                bits.take(size)
            break
        assert bits.take(size) == int(expected[at : at + size] or "0", 2)
        at += size
    assert (bits.at, bits.left) == (at, len(expected) - at)


@pytest.mark.parametrize(
    ("value", "code"),
    [(1, "11"), (2, "011"), (3, "0011"), (4, "1011"), (5, "00011"), (6, "10011"), (7, "01011")],
)
def test_published_fibonacci_codes_are_read(value: int, code: str) -> None:
    """The code words of the GPP specification."""
    assert fibonacci(value) == code
    assert Bits(text_of(code)).fibonacci() == value


@given(st.lists(st.integers(1, 65_535), min_size=1))
def test_fibonacci_codes_in_a_row_are_read_one_by_one(values: list[int]) -> None:
    """The bits behind the last code make no difference."""
    bits = Bits(text_of("".join(fibonacci(value) for value in values) + "10"))

    assert [bits.fibonacci() for _ in values] == values


@pytest.mark.parametrize("code", ["0" * 24 + "11", "01" * 40, "0" * 6, "1" + "0" * 200, fibonacci(10**9)])
def test_a_code_without_an_end_is_refused_after_24_bits(code: str) -> None:
    """Reading stops at the limit."""
    bits = Bits(text_of(code))
    with pytest.raises(BadSignal):
        bits.fibonacci()

    assert bits.at <= 24


@given(st.integers(0, 200), st.integers(0, 200))
def test_padding_holds_only_zeros(zeros: int, more: int) -> None:
    """Any number of zeros is padding; a set bit is refused."""
    bits = Bits(text_of(number(5, 3) + "0" * zeros))
    bits.take(3)
    bits.finish()
    assert bits.left == 0

    spoilt = Bits(text_of(number(5, 3) + "0" * zeros + "1" + "0" * more))
    spoilt.take(3)
    with pytest.raises(BadSignal):
        spoilt.finish()


@pytest.mark.parametrize("text", ["", "=", "AA==", "A A", "+/", "A\n", "\u00c5", "\uff21", "\ud800", "\0"])
def test_a_character_outside_base64url_is_refused(text: str) -> None:
    """Padding characters and whitespace included."""
    with pytest.raises(BadSignal):
        Bits(text)
