"""Defines privacy requests as values: a new request, and the results of a request by identifier and destination.

No value here identifies a person, except the answer to the request itself: ids identify a request and its erasures.
Times are microseconds.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from identity.planning.privacy.public_joins import JoinPolicy, PublicJoins
from identity.values.calls import MICRO
from identity.values.enums import ErasureState, Law, NoticeState, RequestInterface, RequestKind
from identity.values.ids import DestinationId, ErasureId, RequestId
from identity.values.json import JsonObject
from identity.values.stamps import Micros

DELETES: Final = frozenset(
    {
        RequestKind.SUPPRESS_WITH_DELETE,
        RequestKind.DELETE_ONLY,
        RequestKind.SUPPRESS_WITH_DELETE_INTERNAL,
        RequestKind.DELETE_INTERNAL,
    }
)
FORWARDS: Final = frozenset({RequestKind.SUPPRESS_WITH_DELETE, RequestKind.DELETE_ONLY})
DONE_SOON: Final = 2 * MICRO
"""Most requests finish within this time."""


class NewRequest(Struct, frozen=True):
    """A request on arrival. `identifiers` are written `type:value`.

    `request_id` (16 bytes) is set where the client chooses the id; `details` are stored sealed for the
    interface of the request; `received_at` is set where the interface states the time of submission. `public_joins`
    says what to do with identifiers that public keys alone have joined to the people.
    """

    front: RequestInterface
    kind: RequestKind
    regulation: Law
    identifiers: Sequence[str]
    actor: str
    idempotency: str | None = None
    request_id: RequestId | None = None
    details: JsonObject | None = None
    received_at: Micros | None = None
    public_joins: JoinPolicy = "include"

    def call_at(self, now: Micros) -> Micros | None:
        """The first time to check for the callback of a finished request; None without callbacks."""
        return Micros(now + DONE_SOON) if (self.details or {}).get("callbacks") else None


def first_positions(texts: Sequence[str]) -> list[int]:
    """The positions, from 0, of the different identifiers of a request: one that is named again counts once."""
    found: dict[str, int] = {}
    for at, text in enumerate(texts):
        found.setdefault(text, at)
    return list(found.values())


class ErasureNotice(Struct, frozen=True):
    """The state of an erasure at a destination, given by its id and name.

    `ack` holds the bytes of the acknowledgement where the destination sent one.
    """

    destination: DestinationId
    name: str
    state: NoticeState
    at: Micros
    ack: bytes | None = None


class DestroyedCounts(Struct, frozen=True):
    """The numbers of destroyed subject keys, rows by table and exports, as they are stored.

    `key_ids_root` is the Merkle root of the ids of the keys, absent where there was nothing to erase.
    """

    keys: int = 0
    key_ids_root: str | UnsetType = UNSET
    rows: dict[str, int] = {}
    exports: int | UnsetType = UNSET


class ErasureResult(Struct, frozen=True):
    """The result of a request for one of its identifiers.

    `counts` are the numbers of destroyed items, None until the erasure is done. `salt` (hex) and `identifier` are
    present only in the answer to the request itself, as a later proof of the erased person. `found` is
    False where nobody had the identifier, None until the request looked for it. `nr` is the number of the identifier in
    the request, from 1. `suppressed`: later calls that name the identifier are dropped now, by this request or another.
    """

    id: ErasureId
    request_id: RequestId
    nr: int
    kind: RequestKind
    regulation: Law
    state: ErasureState
    type: str
    commitment: bytes
    received_at: Micros
    due_at: Micros | None
    extended_at: Micros | None
    internal_at: Micros | None
    closed_at: Micros | None
    epoch: int | None
    backup_safe_at: Micros | None
    duplicate_of: ErasureId | None
    ledger_seq: int | None
    counts: DestroyedCounts | None
    notices: Sequence[ErasureNotice] = ()
    salt: str | None = None
    identifier: str | None = None
    found: bool | None = None
    suppressed: bool = False


class PrivacyRequest(Struct, frozen=True):
    """A request with its erasures, one for each different identifier, in the order of the identifiers.

    `public_joins` is present only in the answer to the request; a repeated one has no list of identifiers.
    """

    id: RequestId
    front: RequestInterface
    kind: RequestKind
    regulation: Law
    received_at: Micros
    actor: str
    details: JsonObject | None
    erasures: Sequence[ErasureResult]
    public_joins: PublicJoins | None = None
