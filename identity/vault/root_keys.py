"""The root key: where it comes from, and what it wraps.

Invariants: a root key is 32 bytes that can pass for random; it is created only when asked for,
never over an existing one; it wraps keys in a context and never seals data. Its check value
names it without giving anything away, so a wrong root is noticed before anything is written.
"""

import base64
import binascii
import os
from pathlib import Path

from identity.values.errors import Misconfigured
from identity.vault import durable_files
from identity.vault.key_material import KEY_BYTES, WrappingKey, expand, fresh_key
from identity.vault.secret import Guarded, Secret

CHECK_BYTES = 16
# 32 random bytes hold 30 distinct values on average; fewer than 18 turn up once in 10^12 keys.
LEAST_DISTINCT = 18
_PREFIX = b"ps1|root|"

MISSING = (
    "There is no root key file at the configured path. Restore it from its backup: without it the "
    "stored data cannot be read. A new one is made only for a new database."
)
EXISTS = "A root key file exists already at the configured path; it is never overwritten."
UNREADABLE = "The root key file cannot be read or written; check its owner and the path."
OPEN_TO_OTHERS = "The root key file can be read by others; run chmod 600 on it."
NOT_BASE64 = "The root key is not base64; make one with: openssl rand -base64 32"
BAD_LENGTH = "The root key must be exactly 32 bytes; make one with: openssl rand -base64 32"
WEAK = "The root key is not random; make one with: openssl rand -base64 32"


class Root(Guarded):
    """A root key, held in memory. `id` is its check value in hex, which is not secret."""

    __slots__ = ("_wrapping", "id")

    def __init__(self, key: Secret) -> None:
        # The wrapping key and the check value are two halves of one derivation, so the check
        # value says nothing about the key that wraps.
        block = expand(key.reveal(), _PREFIX)
        self._wrapping = WrappingKey(block[:KEY_BYTES])
        self.id = block[KEY_BYTES : KEY_BYTES + CHECK_BYTES].hex()

    def wrap(self, context: bytes, key: bytes) -> bytes:
        """Wrap a 32-byte key for one context; 60 bytes."""
        return self._wrapping.wrap(_PREFIX + context, key)

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        """Return the key that was wrapped in this context; SealBroken otherwise."""
        return self._wrapping.unwrap(_PREFIX + context, wrapped)


def file_root(path: Path, *, create: bool) -> Root:
    """Open the root key file (base64, mode 0600), or with `create` make it, exclusively.

    Raises Misconfigured if it is missing, exists already (`create`), is readable by others or
    does not hold a usable key.
    """
    try:
        return _created(path) if create else _opened(path)
    except FileExistsError:
        raise Misconfigured(EXISTS) from None
    except FileNotFoundError:
        raise Misconfigured(MISSING) from None
    except OSError as error:
        raise Misconfigured(UNREADABLE) from error


def env_root(value: str) -> Root:
    """Take the root key from a base64 string; Misconfigured if it is not a usable key."""
    # "replace", as the error of a strict encoding would quote the value.
    text = Secret(value.encode("ascii", "replace"))
    del value
    return _root(text)


def _created(path: Path) -> Root:
    durable_files.make_directory(path.parent)
    text = Secret(base64.b64encode(fresh_key()))
    # Linked under its name once it is whole: a crash leaves no half a key that every start would refuse.
    draft = path.with_name(f"{durable_files.UNFINISHED}{path.name}-{os.getpid()}")
    draft.unlink(missing_ok=True)
    durable_files.create(draft, text.reveal() + b"\n")
    try:
        path.hardlink_to(draft)
    finally:
        draft.unlink()
    durable_files.sync_directory(path.parent)
    return _root(text)


def _opened(path: Path) -> Root:
    if not durable_files.private(path):
        raise Misconfigured(OPEN_TO_OTHERS)
    return _root(Secret(path.read_bytes()))


def _root(text: Secret) -> Root:
    # The one frame that raises about a bad key holds it only as a Secret.
    problem = _problem(text)
    if problem:
        raise Misconfigured(problem)
    return Root(Secret(base64.b64decode(text.reveal().strip())))


def _problem(text: Secret) -> str:
    try:
        key = base64.b64decode(text.reveal().strip(), validate=True)
    except binascii.Error:
        return NOT_BASE64
    if len(key) != KEY_BYTES:
        return BAD_LENGTH
    if len(set(key)) < LEAST_DISTINCT or all(0x20 <= byte < 0x7F for byte in key):  # noqa: PLR2004
        return WEAK
    return ""
