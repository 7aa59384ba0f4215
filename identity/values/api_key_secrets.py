"""Makes, recognises and hashes the secrets of API keys, and names what the database holds of a key.

A secret is shown once and stored only as a hash. Its form is `of_<id>_<secret>_<check>`, so that a scanner
recognises a leaked secret and a mistyped one is refused without the database. A secret has 256 random bits, so
its plain SHA-256 is safe to store.
"""

import hashlib
import re
import secrets
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from identity.values.ids import token

_SECRET = re.compile(r"of_([a-z2-7]{12})_[0-9a-f]{64}_[0-9a-f]{8}")
_CHECK = 8


class ApiKeyContent(NamedTuple):
    """What the database holds of a key; `number` is the number that stored calls name the key by."""

    number: int
    public_id: str
    name: str
    scopes: Sequence[str]
    secret_hash: bytes


def new_secret() -> tuple[str, str]:
    """The public id and the secret of a new key."""
    id_ = token(12)
    body = f"of_{id_}_{secrets.token_hex(32)}"
    return f"key_{id_}", f"{body}_{_check(body)}"


def id_of(secret: str) -> str | None:
    """The public id in a well-formed secret; None for any other text."""
    found = _SECRET.fullmatch(secret)
    if found is None or secret[-_CHECK:] != _check(secret[: -_CHECK - 1]):
        return None
    return f"key_{found[1]}"


def hash_of(secret: str) -> bytes:
    """The stored hash of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
