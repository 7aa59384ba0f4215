"""What is not stored, or not whole, in the form it is listed: so that nothing is dropped silently.

A refusal holds codes, counts and names of traits, never a body and never the value of an
identifier or the id of a group. Of a call that named somebody suppressed it keeps no message id.
What was demoted of a stored call lies in its evidence, and is not said here again.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from identity.values.calls import KINDS, Call, Kind, Outcome
from identity.values.enums import StoredKind, StoredStatus

TRAIT_LIMIT = "trait_limit"
SUPPRESSED = "suppressed"
# These have no key, or must leave none, so no evidence says them.
NOT_IN_EVIDENCE = frozenset({SUPPRESSED, "bad_type"})
MOST_NAMES = 50
LONGEST_NAME = 100


class StoredRejection(msgspec.Struct, array_like=True, frozen=True):
    """One item of a request, as far as it was not taken; its fields stand in the order they are stored in.

    `unlinked` counts identifiers by reason; `ignored` are the first names of traits that found no
    room and `ignored_count` is how many did not, a membership included. `received` in microseconds;
    `source` is a key's number.
    """

    status: StoredStatus
    reason: str | None
    kind: StoredKind | None
    message_id: str | None
    unlinked: dict[str, int]
    ignored: list[str]
    ignored_count: int
    source: int
    received: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[StoredRejection]).decode


def of_item(item: object, outcome: Outcome, *, kind: Kind | None, source: int, received: int) -> StoredRejection:
    """An item that was rejected when it was read; `kind` is the one that its path names."""
    own = item.get("type") if kind is None and isinstance(item, dict) else kind
    return StoredRejection(
        StoredStatus.REJECTED,
        outcome.reason,
        StoredKind[own.upper()] if own in KINDS else None,
        _storable(outcome.message_id),
        {},
        [],
        0,
        source,
        received,
    )


def of_call(call: Call, outcome: Outcome, received: int) -> StoredRejection | None:
    """What was not taken of a call; None where that is nothing, or is kept as evidence.

    `received` is that of the request: of somebody suppressed no other time is kept.
    """
    accepted = outcome.status == "accepted"
    if outcome.status == "duplicate" or (call.kind == "leave" and not accepted):
        return None
    unlinked = Counter(each["reason"] for each in outcome.demoted)
    if accepted:
        unlinked = Counter({reason: n for reason, n in unlinked.items() if reason in NOT_IN_EVIDENCE})
        if not unlinked and not outcome.ignored_traits:
            return None
    hidden = outcome.status == SUPPRESSED or SUPPRESSED in unlinked
    return StoredRejection(
        StoredStatus[outcome.status.upper()],
        TRAIT_LIMIT if outcome.ignored_traits else outcome.reason,
        StoredKind[call.kind.upper()],
        None if hidden else _storable(outcome.message_id),
        dict(unlinked),
        _names(call, outcome.ignored_traits),
        len(outcome.ignored_traits),
        call.source.key,
        received if hidden else call.received,
    )


def pack(refusals: Sequence[StoredRejection]) -> bytes:
    """The payload of one row."""
    return _encode(refusals)


def unpack(raw: bytes) -> list[StoredRejection]:
    """The inverse of `pack`."""
    return _decode(raw)


def _names(call: Call, ignored: Sequence[str]) -> list[str]:
    """Names that the call itself gave to something: what else found no room is the id of a group."""
    if not ignored:
        return []
    given = {*(call.traits or ()), *(call.consent or ()), *(call.group_traits or ())}
    return [name[:LONGEST_NAME] for name in ignored if name in given][:MOST_NAMES]


def _storable(text: str | None) -> str | None:
    """Half a surrogate pair cannot be written down."""
    return None if text is None else text.encode("utf-8", "replace").decode()
