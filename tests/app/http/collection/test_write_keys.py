"""The write key of a body is found before the body is parsed, where the parsed body would show it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.collection.write_keys import MOST_CANDIDATES, write_keys


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"writeKey": "of_a", "userId": "u1"}, ["of_a"]),
        ({"batch": [{"writeKey": "of_b"}, {"writeKey": "of_c"}]}, ["of_b"]),
        ({"writeKey": "of_a", "batch": [{"writeKey": "of_b"}]}, ["of_a"]),
        ({"writeKey": None, "batch": [{"writeKey": "of_b"}]}, ["of_b"]),
        ({"properties": {"writeKey": "of_a"}}, []),
        ({"batch": [{"properties": {"writeKey": "of_a"}}]}, []),
        ({"batch": [], "userId": "u1"}, []),
        ({"batch": [7]}, []),
        ({"batch": {"writeKey": "of_a"}}, []),
        ({"writeKey": 7}, []),
        ({"writeKey": ["of_a"]}, []),
        ([], []),
        ([{"writeKey": "of_a"}], ["of_a"]),
        ("writeKey", []),
        (None, []),
    ],
)
def test_the_key_of_a_body_is_its_own_or_that_of_its_first_call(body: Any, keys: list[str]) -> None:
    """No other place of a JSON object counts; in what is no object a candidate is found that no parse confirms."""
    assert write_keys(json.dumps(body).encode()) == keys


def test_of_repeated_names_the_last_counts() -> None:
    """As in the parsed body."""
    assert write_keys(b'{"writeKey":"of_a","writeKey":"of_b"}') == ["of_b"]


def test_an_escaped_key_is_read() -> None:
    """JSON may write any character as an escape."""
    assert write_keys(b'{"write\\u004bey":"of_\\u0061"}') == ["of_a"]


def test_a_body_with_a_value_that_no_json_can_hold_has_candidates() -> None:
    """Each text beside the name once, and a bounded number of them."""
    assert write_keys(b'{"a":{"writeKey":"of_a"},"writeKey" : "of_b","b":NaN,"writeKey":"of_a"}') == ["of_a", "of_b"]
    many = b",".join(b'"writeKey":"of_%d"' % at for at in range(50))
    assert len(write_keys(b"{" + many)) == MOST_CANDIDATES


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    """Whatever a client sends, it names a key or none."""
    assert len(write_keys(body)) <= MOST_CANDIDATES


def test_depth_is_no_error() -> None:
    """A body nested beyond the frames of the parser has candidates as any other that cannot be parsed."""
    assert write_keys(b'{"writeKey":"of_a","x":' + b"[" * 100_000) == ["of_a"]
    assert write_keys(b'{"writeKey":' + b"[" * 100_000) == []
