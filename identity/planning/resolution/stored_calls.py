"""Packs accepted calls into the payloads of evidence and plain events.

A stored call keeps its whole body, since an identifier that is blocked today may count tomorrow. The row beside
the payload holds the kept and demoted identifiers as blind indexes and numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from identity.values.calls import STORED_KINDS, Call, Source, trust_class
from identity.values.enums import TrustClass
from identity.values.identity_tokens.claims import Proof, TokenClaims
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros, Stamp

# Rows hold these numbers; a number never changes.
REASONS = {
    "limit": 1,
    "max_identifiers": 2,
    "max_merges": 3,
    "separated": 4,
    "blocked": 5,
    "bad_type": 6,
    "alias_both_known": 7,
    "alias_needs_server_key": 8,
    "needs_proof": 9,
    "under_hold": 10,
}
_REASON_NAMES = {code: name for name, code in REASONS.items()}
KEY_BYTES = 32
DEMOTED_BYTES = KEY_BYTES + 3


class StoredCall(msgspec.Struct, array_like=True):
    """A stored call. `time` and `received` are in microseconds; `source` is the number of an API key.

    `proof` is what an identity token proved of the call; the token itself is not stored.
    """

    kind: int
    message_id: str
    time: Micros
    received: Micros
    source: int
    server: bool
    body: dict[str, Any]
    proof: Proof | None = None

    @property
    def trust(self) -> TrustClass:
        """The class of the call."""
        return trust_class(source(self), self.proof)

    @property
    def proven(self) -> list[str]:
        """The identifiers that an identity token proved, as the API writes them."""
        return [] if self.proof is None else [f"{type_}:{value}" for type_, value in self.proof.identifiers.items()]

    @property
    def for_person(self) -> bool:
        """Whether what the call states on consent counts for the person, and not for a device alone."""
        return self.trust is not TrustClass.PUBLIC

    @property
    def token(self) -> TokenClaims | None:
        """The claims of its identity token, for a reader of the body."""
        return None if self.proof is None else self.proof.claims()


_encode = msgspec.msgpack.Encoder().encode
_one = msgspec.msgpack.Decoder(StoredCall)
_packed = msgspec.msgpack.Decoder(list[tuple[Stamp, StoredCall]])


def stored_call(call: Call) -> StoredCall:
    """The stored form of a call."""
    return StoredCall(
        kind=STORED_KINDS.index(call.kind),
        message_id=call.message_id,
        time=call.time,
        received=call.received,
        source=call.source.key_number,
        server=call.source.server,
        body=call.body,
        proof=call.proof,
    )


def pack(call: Call) -> bytes:
    """The payload of one piece of evidence."""
    return _encode(stored_call(call))


def pack_stored(stored: StoredCall) -> bytes:
    """The payload of a stored call or of an act."""
    return _encode(stored)


def unpack(raw: bytes) -> StoredCall:
    """The inverse of `pack`."""
    return _one.decode(raw)


def pack_events(calls: Iterable[tuple[Stamp, Call]]) -> bytes:
    """The payload of the plain calls of one origin in one batch, each with its stamp."""
    return _encode([(stamp, stored_call(call)) for stamp, call in calls])


def pack_stamped(calls: Iterable[tuple[Stamp, StoredCall]]) -> bytes:
    """The payload of stored plain calls, each with its stamp."""
    return _encode(list(calls))


def unpack_events(raw: bytes) -> list[tuple[Stamp, StoredCall]]:
    """The inverse of `pack_events`."""
    return _packed.decode(raw)


def source(call: StoredCall) -> Source:
    """The source of a stored call."""
    return Source(call.source, call.server)


def pack_demoted(demoted: Iterable[tuple[BlindIndex, str]], codes: Mapping[str, int]) -> bytes:
    """Pack demoted identifiers: 32 bytes of key, one of reason, two for the type of a limit."""
    parts = []
    for key, reason in demoted:
        name, _, type_ = reason.partition(":")
        parts.append(key + bytes((REASONS[name],)) + codes.get(type_, 0).to_bytes(2, "big"))
    return b"".join(parts)


def unpack_demoted(raw: bytes, names: Callable[[int], str]) -> Iterator[tuple[BlindIndex, str]]:
    """The inverse of `pack_demoted`; `names` gives the name of a type by its number."""
    for at in range(0, len(raw), DEMOTED_BYTES):
        entry = raw[at : at + DEMOTED_BYTES]
        reason = _REASON_NAMES[entry[KEY_BYTES]]
        type_ = int.from_bytes(entry[KEY_BYTES + 1 :], "big")
        yield BlindIndex(entry[:KEY_BYTES]), f"{reason}:{names(type_)}" if type_ else reason


def split_keys(raw: bytes) -> list[BlindIndex]:
    """The single keys of concatenated keys."""
    return [BlindIndex(raw[at : at + KEY_BYTES]) for at in range(0, len(raw), KEY_BYTES)]
