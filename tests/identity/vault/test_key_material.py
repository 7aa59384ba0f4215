"""Derivation and wrapping of keys."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import SealBroken
from identity.vault.key_material import WrappingKey, checked_id, expand, fresh_key, fresh_nonce

KEY = hashlib.sha256(b"wrapping").digest()


@given(key=st.binary(min_size=32, max_size=64), info=st.binary(max_size=40))
def test_expand_is_hkdf_expand(key: bytes, info: bytes) -> None:
    """One HMAC is what the library's HKDF-Expand-SHA512 gives for 64 bytes."""
    assert expand(key, info) == HKDFExpand(hashes.SHA512(), 64, info).derive(key)


@given(key=st.binary(min_size=32, max_size=32), context=st.binary(max_size=60))
def test_wrapped_key_comes_back(key: bytes, context: bytes) -> None:
    """A wrapped key has 60 bytes and unwraps in its context."""
    wrapped = WrappingKey(KEY).wrap(context, key)
    assert len(wrapped) == 60
    assert WrappingKey(KEY).unwrap(context, wrapped) == key


def test_every_flipped_byte_of_a_wrapped_key_is_refused() -> None:
    """No single altered byte goes unnoticed."""
    wrapped = WrappingKey(KEY).wrap(b"here", fresh_key())
    for position in range(60):
        altered = bytearray(wrapped)
        altered[position] ^= 1
        with pytest.raises(SealBroken):
            WrappingKey(KEY).unwrap(b"here", bytes(altered))


@pytest.mark.parametrize("length", [0, 1, 12, 28, 59, 61])
def test_wrapped_key_of_another_length_is_refused(length: int) -> None:
    """Only 60 bytes are a wrapped key."""
    wrapped = WrappingKey(KEY).wrap(b"here", fresh_key())
    with pytest.raises(SealBroken):
        WrappingKey(KEY).unwrap(b"here", (wrapped + b"\0")[:length])


def test_wrapped_key_stays_in_its_context() -> None:
    """A key wrapped in one context does not unwrap in another."""
    wrapped = WrappingKey(KEY).wrap(b"here", fresh_key())
    with pytest.raises(SealBroken):
        WrappingKey(KEY).unwrap(b"there", wrapped)


def test_keys_and_nonces_are_fresh_each_time() -> None:
    """Two calls never give the same bytes."""
    assert len({fresh_key() for _ in range(1000)}) == 1000
    assert len({fresh_nonce() for _ in range(1000)}) == 1000
    assert (len(fresh_key()), len(fresh_nonce())) == (32, 12)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_id_of_another_length_is_refused(length: int) -> None:
    """An id that is not 16 bytes would make a context ambiguous."""
    with pytest.raises(ValueError, match="16 bytes"):
        checked_id(bytes(length))
