"""A member that an object has twice is found at any depth, and named by its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.body import MOST_DEPTH
from app.http.error_responses import Unreadable
from app.http.repeated_members import decode_batch, decode_document, repeated_members

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        (b'{"a": 1, "a": 1}', ["a"]),
        (b'{"a": 1, "\\u0061": 2}', ["a"]),
        (b'{"a": {"b": [1, {"c": 1, "c": 2}]}}', ["a.b[1].c"]),
        (b'[{"a": 1}, {"a": 1, "a": 2}]', ["[1].a"]),
        (b'{"a": 1, "a": 2, "b": 3, "b": 4}', ["a", "b"]),
        (b'{"a": {"b": 1, "b": 2}, "a": 1}', ["b", "a"]),
        (b'{"ann@example.org": 1, "ann@example.org": 2}', ["..."]),
        (b'{"a": 1, "A": 2, "b": {"a": 1}}', []),
        (b'{"a": "{\\"b\\": 1, \\"b\\": 2}"}', []),
        (b"[]", []),
        (b"1e3", []),
    ],
)
def test_a_repeated_member_is_named_by_its_place(raw: bytes, places: list[str]) -> None:
    """A name that may be a value is not repeated."""
    assert repeated_members(raw) == places


@given(VALUES)
def test_a_document_of_a_writer_repeats_nothing(value: object) -> None:
    """And is parsed as it is."""
    raw = json.dumps(value).encode()
    assert repeated_members(raw) == []
    assert decode_document(raw) == value


def test_the_refusal_names_the_field() -> None:
    """With a code of its own."""
    with pytest.raises(Unreadable, match=r"`limits\.email` more than once") as refused:
        decode_document(b'{"limits": {"email": 1, "email": 2}}')
    assert (refused.value.code, refused.value.status) == ("repeated_field", 422)


def test_the_deepest_body_that_is_read_is_searched() -> None:
    """A deeper one is refused as before."""
    assert decode_document(b"[" * MOST_DEPTH + b"]" * MOST_DEPTH)
    with pytest.raises(Unreadable, match="too deeply"):
        decode_document(b"[" * 5_000 + b"]" * 5_000)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"batch":[{"type":"page"}],"batch":[{"type":"track"}]}',
        b'{"batch" : [1], "x": NaN, "\\ud800": "caf\xe9", "batch":\n[]}',
        b'{"batch":[{"batch":[]}],"a":{"batch":[]},"batch":[]}',
    ],
)
def test_a_second_list_of_calls_is_refused(raw: bytes) -> None:
    """The calls of the first would be lost, also where a token has to be mended."""
    with pytest.raises(Unreadable) as refused:
        decode_batch(raw)
    assert refused.value.code == "batch_not_a_list"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"batch":[{"type":"track","properties":{"batch":[1]}},{"batch":[2]}]}',
        b'{"batch":["\\"batch\\":[", "\\"batch\\":["]}',
        b'{"batch":"b7","batch":[]}',
        b'[{"batch":[]},{"batch":[]}]',
    ],
)
def test_a_list_of_that_name_elsewhere_is_no_second_batch(raw: bytes) -> None:
    """In a call, in a text, and where the other is no list."""
    assert decode_batch(raw).body == json.loads(raw)
