"""Sealing: the bytes of a sealed blob, and the places (table and column) that a blob is bound to.

Invariants: a blob opens only under the key that made it, in the row, version, column, table and
space it was made for; whatever else is tried raises SealBroken, with one message for all. The
commitment is checked before decrypting, because AES-GCM alone lets one blob open under two keys.

    0  magic C7 | version 1 | alg 1 (AES-256-GCM) | flags (bit 0: padded)
    4  purpose | schema of the plaintext | 0 | 0
    8  key id 16 | 24 nonce 12 | 36 commitment 32 | 68 ciphertext | tag 16
    associated data = bytes 0 to 68, space 16, table 1, column 1, row id 16, row version 8 (BE)

Every field of the associated data has a fixed width, so no two rows can share one.
"""

from hmac import compare_digest
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from identity.values.errors import SealBroken
from identity.vault.key_material import ID_BYTES, KEY_BYTES, checked_id, expand, fresh_nonce
from identity.vault.secret import Guarded

MAGIC = 0xC7
VERSION = 1
AES_256_GCM = 1
PADDED = 1
SCHEMA = 1

HEADER_BYTES = 68
OVERHEAD = 84
_KEY_ID = slice(8, 24)
_NONCE = slice(24, 36)
_COMMITMENT = slice(36, 68)

TRAITS: Final = 1
PAYLOAD: Final = 3
IDENTIFIER_VALUE: Final = 4
SPACE_DOCUMENT: Final = 8

_BAD_ROW_ID = "a row id is 16 bytes"
_BAD_PURPOSE = "this key does not seal for this purpose"


class SealPlace:
    """The table and column of a blob. Its ids are part of every blob: they never change and are never reused.

    `step` is the multiple of bytes that the plaintext is padded to, so that the length of a
    blob says little about what is in it.
    """

    __slots__ = ("column", "head", "purpose", "step", "table", "where")

    def __init__(self, *, purpose: int, table: int, column: int, step: int) -> None:
        self.purpose = purpose
        self.table = table
        self.column = column
        self.step = step
        self.head = bytes((MAGIC, VERSION, AES_256_GCM, PADDED, purpose, SCHEMA, 0, 0))
        self.where = bytes((table, column))

    def __repr__(self) -> str:
        """Show the ids."""
        return f"Place(purpose={self.purpose}, table={self.table}, column={self.column}, step={self.step})"


DOCUMENT = SealPlace(purpose=TRAITS, table=1, column=1, step=256)
IDENTIFIER = SealPlace(purpose=IDENTIFIER_VALUE, table=2, column=1, step=64)
EVIDENCE = SealPlace(purpose=PAYLOAD, table=3, column=1, step=64)
EVENT = SealPlace(purpose=PAYLOAD, table=4, column=1, step=64)
GROUP_ID = SealPlace(purpose=IDENTIFIER_VALUE, table=5, column=1, step=64)
GROUP_TRAITS = SealPlace(purpose=TRAITS, table=5, column=2, step=256)
RULES = SealPlace(purpose=SPACE_DOCUMENT, table=6, column=1, step=256)
TYPE_NAME = SealPlace(purpose=SPACE_DOCUMENT, table=7, column=1, step=64)
REJECTION = SealPlace(purpose=SPACE_DOCUMENT, table=8, column=1, step=64)
DESTINATION = SealPlace(purpose=SPACE_DOCUMENT, table=9, column=1, step=256)
JOB = SealPlace(purpose=SPACE_DOCUMENT, table=10, column=1, step=256)
ASIDE = SealPlace(purpose=PAYLOAD, table=12, column=1, step=256)
REQUEST = SealPlace(purpose=SPACE_DOCUMENT, table=13, column=1, step=256)
HOLD = SealPlace(purpose=SPACE_DOCUMENT, table=14, column=1, step=256)
HOLD_REASON = SealPlace(purpose=PAYLOAD, table=14, column=2, step=256)
EXPORT = SealPlace(purpose=PAYLOAD, table=11, column=1, step=256)
PURPOSES = SealPlace(purpose=SPACE_DOCUMENT, table=15, column=1, step=256)
IDENTITY_KEYS = SealPlace(purpose=SPACE_DOCUMENT, table=16, column=1, step=256)

PLACES: Final = (
    DOCUMENT,
    IDENTIFIER,
    EVIDENCE,
    EVENT,
    GROUP_ID,
    GROUP_TRAITS,
    RULES,
    TYPE_NAME,
    REJECTION,
    DESTINATION,
    JOB,
    ASIDE,
    REQUEST,
    HOLD,
    HOLD_REASON,
    EXPORT,
    PURPOSES,
    IDENTITY_KEYS,
)


class SealingKey(Guarded):
    """A 32-byte key that seals blobs of one space, through one derived key per purpose.

    Safe to share between threads: deriving twice gives the same pair.
    """

    __slots__ = ("_derived", "_key", "_space", "key_id")

    purposes: ClassVar[frozenset[int]] = frozenset()

    def __init__(self, space: bytes, key_id: bytes, key: bytes) -> None:
        self.key_id = key_id
        self._space = space
        self._key = key
        self._derived: dict[int, tuple[AESGCM, bytes]] = {}

    def seal(self, place: SealPlace, row_id: bytes, row_version: int, plain: bytes) -> bytes:
        """Seal `plain` for one version of one row; `row_id` is the 16 bytes that never change."""
        if len(row_id) != ID_BYTES:
            raise ValueError(_BAD_ROW_ID)
        gcm, commitment = self._derived.get(place.purpose) or self._derive(place.purpose)
        nonce = fresh_nonce()
        header = place.head + self.key_id + nonce + commitment
        bound = header + self._space + place.where + row_id + row_version.to_bytes(8, "big")
        size, step = len(plain), place.step
        padded = (plain + b"\x80").ljust(size - size % step + step, b"\0")
        return header + gcm.encrypt(nonce, padded, bound)

    def open(self, place: SealPlace, row_id: bytes, row_version: int, blob: bytes) -> bytes:
        """Return what was sealed; SealBroken unless key, place, row and version are the same."""
        if len(blob) < OVERHEAD or blob[:8] != place.head or blob[_KEY_ID] != self.key_id:
            raise SealBroken
        gcm, commitment = self._derived.get(place.purpose) or self._derive(place.purpose)
        if not compare_digest(blob[_COMMITMENT], commitment):
            raise SealBroken
        bound = blob[:HEADER_BYTES] + self._space + place.where + row_id + row_version.to_bytes(8, "big")
        try:
            padded = gcm.decrypt(blob[_NONCE], blob[HEADER_BYTES:], bound)
        except InvalidTag:
            raise SealBroken from None
        marked = padded.rstrip(b"\0")
        size, step = len(marked) - 1, place.step
        if marked[-1:] != b"\x80" or len(padded) != size - size % step + step:
            raise SealBroken
        return marked[:-1]

    def _derive(self, purpose: int) -> tuple[AESGCM, bytes]:
        if purpose not in self.purposes:
            raise ValueError(_BAD_PURPOSE)
        block = expand(self._key, b"ps1|%c" % purpose)
        pair = self._derived[purpose] = (AESGCM(block[:KEY_BYTES]), block[KEY_BYTES:])
        return pair


class SpaceDocumentKey(SealingKey):
    """Seals what belongs to a space and to no person: rules, type names, destinations."""

    __slots__ = ()

    purposes = frozenset({SPACE_DOCUMENT})

    def __init__(self, space: bytes, version: int, key: bytes) -> None:
        super().__init__(checked_id(space), b"space-document" + version.to_bytes(2, "big"), key)
