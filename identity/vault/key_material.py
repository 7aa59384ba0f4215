"""Key material: where keys and nonces come from, how a key derives and how it wraps another.

Invariants: every key and nonce comes from the operating system's generator; a wrapped key is
60 bytes (nonce 12, AES-256-GCM-SIV of the 32-byte key 48) and opens only in the context it was
wrapped in. GCM-SIV because a repeated nonce then reveals no more than that two keys are equal.
"""

import os
from hmac import digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from identity.values.errors import SealBroken
from identity.vault.secret import Guarded

KEY_BYTES = 32
NONCE_BYTES = 12
WRAPPED_BYTES = 60
ID_BYTES = 16

_BAD_ID = "an id is 16 bytes"


def fresh_key() -> bytes:
    """Return 32 new random bytes."""
    return os.urandom(KEY_BYTES)


def fresh_nonce() -> bytes:
    """Return 12 new random bytes (SP 800-38D 8.2.2; at most 2^32 uses of one key)."""
    return os.urandom(NONCE_BYTES)


def expand(key: bytes, info: bytes) -> bytes:
    """Return the first 64 bytes of HKDF-Expand-SHA512 (RFC 5869 2.3), which are one HMAC.

    The two halves are independent: a key and its commitment, or a key and its check value.
    """
    return digest(key, info + b"\x01", "sha512")


def checked_id(value: bytes) -> bytes:
    """Return `value`; ValueError unless it has the 16 bytes that the fixed-width contexts need."""
    if len(value) != ID_BYTES:
        raise ValueError(_BAD_ID)
    return value


class WrappingKey(Guarded):
    """A key that wraps other keys and does nothing else. Safe to share between threads."""

    __slots__ = ("_siv",)

    def __init__(self, key: bytes) -> None:
        self._siv = AESGCMSIV(key)

    def wrap(self, context: bytes, key: bytes) -> bytes:
        """Wrap a 32-byte key for one context; 60 bytes."""
        nonce = fresh_nonce()
        return nonce + self._siv.encrypt(nonce, key, context)

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        """Return the 32-byte key; SealBroken if it was altered or wrapped in another context."""
        if len(wrapped) != WRAPPED_BYTES:
            raise SealBroken
        try:
            return self._siv.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except InvalidTag:
            raise SealBroken from None
