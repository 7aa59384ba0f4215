"""The types of ids; makes ids and converts them to and from their public form.

The id of a profile is a UUID version 7: any process can make one, and new ids are neighbours in an index. The time
in an id is not personal data, and no code relies on the order of ids.
"""

import os
import time
from base64 import b32encode
from typing import Final, Literal, NewType

ProfileId = NewType("ProfileId", bytes)
"""The id of an origin or a profile: the 16 bytes of a UUID."""
BlindIndex = NewType("BlindIndex", bytes)
"""The keyed hash of an identifier, 32 bytes: what rows hold instead of its value."""
SetKey = NewType("SetKey", bytes)
"""The hash of a set of blind indexes, 16 bytes: one sighting of an origin."""
SpaceNumber = NewType("SpaceNumber", int)
"""The number of a space in the database; the API shows its public id."""
DestinationNumber = NewType("DestinationNumber", int)
"""The number of a destination in the database; the API shows its public id."""

_HEX = 32
Prefix = Literal["prf", "spc", "key", "ers", "dst", "job", "req", "hld", "exp"]


FIRST_PROFILE: Final = ProfileId(bytes(16))
"""The id before every other, where a walk through profiles begins."""
LAST_ID: Final = b"\xff" * 16
"""The id after every other, where a list begins that shows the newest first."""


def new_id() -> bytes:
    """A fresh UUID version 7, as 16 bytes."""
    millis = time.time_ns() // 1_000_000
    tail = bytearray(os.urandom(10))
    tail[0] = 0x70 | tail[0] & 0x0F
    tail[2] = 0x80 | tail[2] & 0x3F
    return millis.to_bytes(6, "big") + bytes(tail)


def new_profile_id() -> ProfileId:
    """A fresh id of an origin."""
    return ProfileId(new_id())


def id_time(id_: bytes) -> int:
    """The creation time of an id in microseconds since 1970, to the millisecond."""
    return int.from_bytes(id_[:6], "big") * 1000


def public(prefix: Prefix, id_: bytes) -> str:
    """The public form of an id: `prf_0192…`."""
    return f"{prefix}_{id_.hex()}"


def private(prefix: Prefix, text: str) -> bytes | None:
    """The inverse of `public`; None for any other text."""
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != _HEX or not digits.isascii():
        return None
    try:
        id_ = bytes.fromhex(digits)
    except ValueError:
        return None
    return id_ if id_.hex() == digits else None


def public_profile(id_: bytes) -> str:
    """The public id of a profile."""
    return "prf_" + id_.hex()


def token(size: int) -> str:
    """A random token of `size` lower-case letters and digits (5 bits each)."""
    return b32encode(os.urandom(-(-size * 5 // 8))).decode().lower()[:size]
