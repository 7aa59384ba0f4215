"""Ids: unique, in the order of their making to the millisecond, and read only in their public form."""

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.ids import ProfileId, id_time, new_id, private, public, public_profile, token


def test_an_id_is_a_uuid_of_its_moment() -> None:
    """Of version 7."""
    before = time.time_ns() // 1_000_000 * 1_000
    made = new_id()

    assert (uuid.UUID(bytes=made).version, uuid.UUID(bytes=made).variant) == (7, uuid.RFC_4122)
    assert before <= id_time(made) <= time.time_ns() // 1_000
    assert len({new_id() for _ in range(100)}) == 100


@given(st.binary(min_size=16, max_size=16))
def test_a_public_id_is_read_back(raw: bytes) -> None:
    """With the right prefix alone."""
    id_ = ProfileId(raw)
    assert private("prf", public("prf", id_)) == id_
    assert public("prf", id_) == public_profile(id_)
    assert private("ers", public("prf", id_)) is None


@pytest.mark.parametrize("digits", ["", "0" * 31, "0" * 33, "A" * 32, "g" * 32, " " * 32, "\u0660" * 32])
def test_other_text_is_no_id(digits: str) -> None:
    """Capitals too: an id has one spelling."""
    assert private("prf", f"prf_{digits}") is None


@pytest.mark.parametrize("size", [1, 12, 13, 40])
def test_a_token_has_the_length_that_is_asked_for(size: int) -> None:
    """In letters and digits."""
    assert len(token(size)) == size
    assert set(token(400)) <= set("abcdefghijklmnopqrstuvwxyz234567")
