"""Bits are read in order, in any portion, and Fibonacci codes as they are published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals.bits import Bits
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import ALPHABET, bits_of, fibonacci, number, text_of


@given(st.text(ALPHABET, min_size=1, max_size=60), st.lists(st.integers(0, 40)))
def test_portions(text: str, portions: list[int]) -> None:
    """However the bits are portioned, they are those that were written; there are no more."""
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
def test_published_codes(value: int, code: str) -> None:
    """The code words of the GPP specification."""
    assert fibonacci(value) == code
    assert Bits(text_of(code)).fibonacci() == value


@given(st.lists(st.integers(1, 65_535), min_size=1))
def test_fibonacci(values: list[int]) -> None:
    """Numbers in a row come out as they went in, whatever follows."""
    bits = Bits(text_of("".join(fibonacci(value) for value in values) + "10"))

    assert [bits.fibonacci() for _ in values] == values


@pytest.mark.parametrize("code", ["0" * 24 + "11", "01" * 40, "0" * 6, "1" + "0" * 200, fibonacci(10**9)])
def test_endless_code(code: str) -> None:
    """A code that does not end within 24 bits is refused there."""
    bits = Bits(text_of(code))
    with pytest.raises(BadSignal):
        bits.fibonacci()

    assert bits.at <= 24


@given(st.integers(0, 200), st.integers(0, 200))
def test_padding(zeros: int, more: int) -> None:
    """Only zeros may be left, however many."""
    bits = Bits(text_of(number(5, 3) + "0" * zeros))
    bits.take(3)
    bits.finish()
    assert bits.left == 0

    spoilt = Bits(text_of(number(5, 3) + "0" * zeros + "1" + "0" * more))
    spoilt.take(3)
    with pytest.raises(BadSignal):
        spoilt.finish()


@pytest.mark.parametrize("text", ["", "=", "AA==", "A A", "+/", "A\n", "\u00c5", "\uff21", "\ud800", "\0"])
def test_alphabet(text: str) -> None:
    """Only the characters of base64url are bits."""
    with pytest.raises(BadSignal):
        Bits(text)
