"""Large whole numbers keep every digit."""

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
def test_tame(value: Any, tamed: Any) -> None:
    """Only what does not fit 64 bits becomes text, however deep it lies."""
    assert tame(value) == tamed


def test_more_digits_than_str_takes() -> None:
    """Python writes at most 4,300 digits at once; a longer number is written all the same."""
    assert tame(10**9000 + 7) == "1" + "0" * 8999 + "7"


def test_deep_nesting() -> None:
    """Depth is not limited by the stack."""
    deep: list[Any] = [2**64]
    for _ in range(5000):
        deep = [deep]
    tame(deep)
    while isinstance(deep[0], list):
        deep = deep[0]
    assert deep == ["18446744073709551616"]


@given(JSON)
def test_no_big_number_is_missed(value: Any) -> None:
    """Where the raw text shows none, taming changes nothing; where it is tamed, all fit."""
    raw = msgspec.json.encode(msgspec.json.decode(_written(value)))
    tamed = tame(msgspec.json.decode(raw))
    assert tamed == msgspec.json.decode(raw) or has_big_number(raw)


@given(st.integers(min_value=LARGEST + 1) | st.integers(max_value=SMALLEST - 1))
def test_every_big_number_is_noticed(value: int) -> None:
    """A number beyond 64 bits shows in the raw text, and keeps its value."""
    assert has_big_number(f'{{"a": {value}}}'.encode())
    assert int(tame([value])[0]) == value


def _written(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"{" + b",".join(msgspec.json.encode(k) + b":" + _written(v) for k, v in value.items()) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_written, value)) + b"]"
    return str(value).encode() if type(value) is int else msgspec.json.encode(value)
