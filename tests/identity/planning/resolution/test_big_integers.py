"""Whole numbers beyond 64 bits keep every digit."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.big_integers import LARGEST, SMALLEST, has_big_number, tame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "tamed"),
    [
        (LARGEST, LARGEST),
        (SMALLEST, SMALLEST),
        (LARGEST + 1, "18446744073709551616"),
        (SMALLEST - 1, "-9223372036854775809"),
        (True, True),
        (1.5, 1.5),
        ([1, [2**70]], [1, ["1180591620717411303424"]]),
        ({"a": {"b": [-(2**70)]}}, {"a": {"b": ["-1180591620717411303424"]}}),
    ],
)
def test_a_number_beyond_64_bits_becomes_text(value: Any, tamed: Any) -> None:
    """At any depth; other values stay."""
    assert tame(value) == tamed


def test_a_number_of_more_digits_than_str_accepts_becomes_text() -> None:
    """`str` accepts at most 4,300 digits."""
    assert tame(10**9000 + 7) == "1" + "0" * 8999 + "7"


def test_the_depth_of_a_value_is_not_limited_by_the_stack() -> None:
    """A list nested 5,000 times."""
    deep: list[Any] = [2**64]
    for _ in range(5000):
        deep = [deep]
    tame(deep)
    while isinstance(deep[0], list):
        deep = deep[0]
    assert deep == ["18446744073709551616"]


@given(JSON)
def test_no_value_with_a_big_number_is_missed(value: Any) -> None:
    """Where `has_big_number` finds none in the raw text, `tame` changes nothing."""
    raw = msgspec.json.encode(msgspec.json.decode(_written(value)))
    tamed = tame(msgspec.json.decode(raw))
    assert tamed == msgspec.json.decode(raw) or has_big_number(raw)


@given(st.integers(min_value=LARGEST + 1) | st.integers(max_value=SMALLEST - 1))
def test_every_big_number_is_noticed(value: int) -> None:
    """`has_big_number` finds the number in the raw text, and `tame` keeps its value."""
    assert has_big_number(f'{{"a": {value}}}'.encode())
    assert int(tame([value])[0]) == value


def _written(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"{" + b",".join(msgspec.json.encode(k) + b":" + _written(v) for k, v in value.items()) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_written, value)) + b"]"
    return str(value).encode() if type(value) is int else msgspec.json.encode(value)
