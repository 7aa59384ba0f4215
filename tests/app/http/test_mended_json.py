"""A token that no JSON can hold spoils one value, and every lost value is counted at its item."""

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.mended_json import collect, mend

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def mended(raw: bytes) -> tuple[Any, Mapping[int, int], int]:
    """The mended document and the counts."""
    found = collect(msgspec.json.decode(mend(raw)))
    return found.body, found.items, found.rest


def call(value: bytes) -> bytes:
    """A batch of a good call and one with a value."""
    return b'{"batch":[{"userId":"good"},{"userId":"b","properties":{"x":' + value + b'}}],"sentAt":"s"}'


@pytest.mark.parametrize(
    ("token", "value"),
    [
        (b"NaN", None),
        (b"nan", None),
        (b"-NaN", None),
        (b"Infinity", None),
        (b"-Infinity", None),
        (b"+Infinity", None),
        (b"inf", None),
        (b"1e400", None),
        (b"-1e400", None),
        (b"1.5E+999", None),
        (b"1" * 400 + b".0", None),
        (b"[1,NaN,2]", [1, None, 2]),
        (b'"caf\xe9"', "caf\x00"),
        (b'"\xff\xfe"', "\x00\x00"),
        (b'"\xed\xa0\x80"', "\x00\x00\x00"),
        (b'"a\\ud800b"', "a\x00b"),
        (b'{"caf\xe9":1}', {"caf\x00": 1}),
    ],
)
def test_a_bad_token_costs_one_value(token: bytes, value: Any) -> None:
    """The neighbours keep theirs, and the item with the loss is named."""
    document, items, rest = mended(call(token))
    assert document == {
        "batch": [{"userId": "good"}, {"userId": "b", "properties": {"x": value}}],
        "sentAt": "s",
    }
    assert (list(items), rest) == ([1], 0)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "1e400",
        'say "NaN"',
        "\\ud83d",
        "\\",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_a_text_that_looks_like_a_bad_token_stays(text: str) -> None:
    """Only bare tokens are mended."""
    document, items, rest = mended(call(json.dumps(text).encode()))
    assert document["batch"][1]["properties"]["x"] == text
    assert (items, rest) == ({}, 0)


def test_a_control_character_in_a_text_is_no_loss() -> None:
    """The character is known, so the value is kept."""
    document, items, rest = mended(call(b'"a\nb\x01"'))
    assert (document["batch"][1]["properties"]["x"], items, rest) == ("a\nb\x01", {}, 0)


def test_a_time_that_is_lost_stays_no_time() -> None:
    """Null would say that the call states no time."""
    document, items, _ = mended(b'{"batch":[{"timestamp":NaN,"receivedAt":1e400,"x":NaN}]}')
    assert (document["batch"][0], items) == ({"timestamp": "NaN", "receivedAt": "NaN", "x": None}, {0: 3})


def test_a_loss_beside_the_batch_counts_for_the_rest() -> None:
    """The context of a batch belongs to every call of it."""
    assert mended(b'{"batch":[{}],"context":{"x":NaN}}') == ({"batch": [{}], "context": {"x": None}}, {}, 1)


@pytest.mark.parametrize("raw", [b'{"a":Nan1}', b'{"a":}', b'{"a":undefined}', b"{\xff:1}", b'{"a":"', b"NaNNaN"])
def test_what_is_no_token_stays_no_json(raw: bytes) -> None:
    """Mending guesses nothing."""
    with pytest.raises(msgspec.MsgspecError):
        msgspec.json.decode(mend(raw))


@given(JSON)
def test_a_body_of_python_is_read_as_browsers_would_write_it(value: Any) -> None:
    """Every value except NaN and infinities stays; those become null."""

    def written(each: Any) -> Any:
        if isinstance(each, float):
            return each if math.isfinite(each) else None
        if isinstance(each, list):
            return [written(item) for item in each]
        return {name: written(item) for name, item in each.items()} if isinstance(each, dict) else each

    found = collect(json.loads(mend(json.dumps(value).encode())))
    assert found.body == written(value)
    assert bool(found.items or found.rest) is (written(value) != value)
