"""The types of ids; makes ids and converts them to and from their public form.

The id of a profile is a UUID version 7: any process can make one, and new ids are neighbours in an index. The time
in an id is not personal data, and no code relies on the order of ids.
"""

import os
import time
from base64 import b32encode
from typing import Final, Literal, NewType, overload

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
SpaceId = NewType("SpaceId", bytes)
"""The public id of a space, 16 bytes."""
DestinationId = NewType("DestinationId", bytes)
"""The public id of a destination, 16 bytes."""
JobId = NewType("JobId", bytes)
"""The id of a background job, 16 bytes."""
RequestId = NewType("RequestId", bytes)
"""The id of a privacy request, 16 bytes; the client of an OpenDSR request chooses it."""
ErasureId = NewType("ErasureId", bytes)
"""The id of one identifier of a privacy request and what became of it, 16 bytes."""
HoldId = NewType("HoldId", bytes)
"""The id of a litigation hold, 16 bytes."""
ExportId = NewType("ExportId", bytes)
"""The id of an access export, 16 bytes."""
JoinId = NewType("JoinId", bytes)
"""The id of a join that a public key claims, 16 bytes."""
GroupRowId = NewType("GroupRowId", bytes)
"""The id of the row of a group, 16 bytes; calls name a group by its `groupId`."""
SubjectId = ProfileId | GroupRowId | ErasureId | ExportId | HoldId
"""The id of what has a subject key of its own."""

_HEX = 32
Prefix = Literal["prf", "spc", "dst", "job", "req", "ers", "hld", "exp", "jon"]


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


@overload
def public(prefix: Literal["prf"], id_: ProfileId) -> str: ...
@overload
def public(prefix: Literal["spc"], id_: SpaceId) -> str: ...
@overload
def public(prefix: Literal["dst"], id_: DestinationId) -> str: ...
@overload
def public(prefix: Literal["job"], id_: JobId) -> str: ...
@overload
def public(prefix: Literal["req"], id_: RequestId) -> str: ...
@overload
def public(prefix: Literal["ers"], id_: ErasureId) -> str: ...
@overload
def public(prefix: Literal["hld"], id_: HoldId) -> str: ...
@overload
def public(prefix: Literal["exp"], id_: ExportId) -> str: ...
@overload
def public(prefix: Literal["jon"], id_: JoinId) -> str: ...
def public(prefix: Prefix, id_: bytes) -> str:
    """The public form of an id: `prf_0192…`."""
    return f"{prefix}_{id_.hex()}"


@overload
def private(prefix: Literal["prf"], text: str) -> ProfileId | None: ...
@overload
def private(prefix: Literal["spc"], text: str) -> SpaceId | None: ...
@overload
def private(prefix: Literal["dst"], text: str) -> DestinationId | None: ...
@overload
def private(prefix: Literal["job"], text: str) -> JobId | None: ...
@overload
def private(prefix: Literal["req"], text: str) -> RequestId | None: ...
@overload
def private(prefix: Literal["ers"], text: str) -> ErasureId | None: ...
@overload
def private(prefix: Literal["hld"], text: str) -> HoldId | None: ...
@overload
def private(prefix: Literal["exp"], text: str) -> ExportId | None: ...
@overload
def private(prefix: Literal["jon"], text: str) -> JoinId | None: ...
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
