"""What was asked for on a person's behalf and how far it is, as values that all front doors read.

Times are microseconds. Nothing here says who: a request and its erasures are known by their ids.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from identity.values.calls import MICRO
from identity.values.enums import ErasureState, Law, NoticeState, RequestInterface, RequestKind

DELETES: Final = frozenset(
    {
        RequestKind.SUPPRESS_WITH_DELETE,
        RequestKind.DELETE_ONLY,
        RequestKind.SUPPRESS_WITH_DELETE_INTERNAL,
        RequestKind.DELETE_INTERNAL,
    }
)
SUPPRESSES: Final = frozenset(
    {RequestKind.SUPPRESS_WITH_DELETE, RequestKind.SUPPRESS_ONLY, RequestKind.SUPPRESS_WITH_DELETE_INTERNAL}
)
FORWARDS: Final = frozenset({RequestKind.SUPPRESS_WITH_DELETE, RequestKind.DELETE_ONLY})
DONE_SOON: Final = 2 * MICRO
"""Most requests are done by then."""


class Asked(Struct, frozen=True):
    """A request as it comes in. `identifiers` are written `type:value`, at most MOST_ASKED of them.

    `request_id` (16 bytes) is set where the client names the request itself; `details` are kept
    sealed for the door it came by; `received_at` where the door says when it was submitted.
    """

    front: RequestInterface
    kind: RequestKind
    regulation: Law
    identifiers: Sequence[str]
    actor: str
    idempotency: str | None = None
    request_id: bytes | None = None
    details: dict[str, Any] | None = None
    received_at: int | None = None

    def call_at(self, now: int) -> int | None:
        """From when to see whether somebody has to be called as it is done; None: nobody wants to be."""
        return now + DONE_SOON if (self.details or {}).get("callbacks") else None


class Notice(Struct, frozen=True):
    """What a destination (its public id and name) has said of an erasure.

    `ack` are the bytes it signed, where it did.
    """

    destination: str
    name: str
    state: NoticeState
    at: int
    ack: bytes | None = None


class Erased(Struct, frozen=True):
    """One identifier of a request: of which type, and what became of it.

    `counts` says what was destroyed: {"keys": n, "key_ids_root": hex, "rows": {table: n}}; `salt` is
    there only in the answer to the request itself (hex), for the requester to prove whom it was about.
    """

    id: bytes
    request_id: bytes
    nr: int
    kind: RequestKind
    regulation: Law
    state: ErasureState
    type: str
    commitment: bytes
    received_at: int
    due_at: int | None
    extended_at: int | None
    internal_at: int | None
    closed_at: int | None
    epoch: int | None
    backup_safe_at: int | None
    duplicate_of: bytes | None
    ledger_seq: int | None
    counts: dict[str, Any] | None
    notices: Sequence[Notice] = ()
    salt: str | None = None
    identifier: str | None = None


class Request(Struct, frozen=True):
    """A request with its erasures in the order they were asked for."""

    id: bytes
    front: RequestInterface
    kind: RequestKind
    regulation: Law
    received_at: int
    actor: str
    details: dict[str, Any] | None
    erasures: Sequence[Erased]
