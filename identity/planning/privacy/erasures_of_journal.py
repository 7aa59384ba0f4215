"""Compares privacy requests and erasures with the entries of the journal: what the API shows is what happened.

Invariant: a row that Onefold wrote agrees with its entries, since both are in one transaction.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import Final

import msgspec

from identity.planning.privacy.privacy_requests import DELETES
from identity.values.enums import ErasureState, RequestKind
from identity.values.ids import DestinationNumber, ErasureId, RequestId, private, public
from identity.values.ledger_actions import KeyRolls, LedgerAction, PrivacyEntry, read_privacy_entry, starts
from identity.values.stamps import Micros

_STARTS: Final = starts(
    (
        LedgerAction.REQUEST_RECEIVED,
        LedgerAction.ERASED,
        LedgerAction.KEYS_ROLLED,
        LedgerAction.SUPPRESSED,
        LedgerAction.SUPPRESSION_LIFTED,
    )
)
# Entries without a MAC: a database writer who forges one stops an erasure, and can stop it by the row alone.
_NOTED: Final = starts((LedgerAction.ERASURE_CANCELLED, LedgerAction.SUPPRESSED))
_ID, _HASH, _COMMITMENT = 0, 3, 4
"""Places in the fields of an erasure in the entry of its request."""


class ErasureFacts(msgspec.Struct, frozen=True):
    """What the row of an erasure states, as far as the journal records the same.

    `informed` are the destinations that have a notice of it.
    """

    id: ErasureId
    request_id: RequestId
    kind: int
    regulation: int
    state: int
    hash: bytes
    commitment: bytes
    received_at: Micros
    internal_at: Micros | None
    duplicate_of: ErasureId | None
    found: bool | None
    backup_safe_at: Micros | None = None
    informed: frozenset[DestinationNumber] = frozenset()


class RequestFacts(msgspec.Struct, frozen=True):
    """What the row of a privacy request states; the hashes are in hex, as in the ledger.

    Of the sealed details only whether there are any: a value that was altered does not open.
    """

    id: RequestId
    front: int
    kind: int
    regulation: int
    received_at: Micros
    actor: str
    idempotency: str | None
    body: str | None
    has_details: bool


class RecordedErasures:
    """The requests and outcomes that entries record."""

    def __init__(self) -> None:
        self._requests: dict[str, PrivacyEntry] = {}
        self._outcomes: dict[str, PrivacyEntry] = {}
        self._noted: set[str] = set()
        self._rolls = KeyRolls()

    def take(self, raw: bytes, *, genuine: bool) -> None:
        """Take up the next entry; a repeated one changes nothing."""
        if genuine and raw.startswith(_STARTS):
            entry = read_privacy_entry(raw)
            if entry.action == LedgerAction.KEYS_ROLLED:
                self._rolls.take(entry)
                return
            requested = entry.action == LedgerAction.REQUEST_RECEIVED
            (self._requests if requested else self._outcomes).setdefault(_place(entry), entry)
        if raw.startswith(_NOTED):
            with suppress(msgspec.DecodeError):
                self._noted.add(_place(read_privacy_entry(raw)))

    def missing(self, stored: set[ErasureId]) -> set[ErasureId]:
        """The erasures of recorded requests that are not stored."""
        recorded = {
            ErasureId(bytes.fromhex(str(fields[_ID]))) for entry in self._requests.values() for fields in entry.erasures
        }
        return recorded - stored

    def missing_requests(self, stored: set[RequestId]) -> set[RequestId]:
        """The recorded requests that are not stored."""
        subjects = (private("req", entry.subject or "") for entry in self._requests.values())
        return {RequestId(id_) for id_ in subjects if id_ is not None} - stored

    def request_differs(self, row: RequestFacts) -> bool:
        """Whether the row of a request is not as its entry has it. An older version of Onefold wrote no entry."""
        entry = self._requests.get(f"{LedgerAction.REQUEST_RECEIVED} {public('req', row.id)}")
        return entry is not None and any(
            getattr(row, field) != getattr(entry, field) for field in RequestFacts.__struct_fields__ if field != "id"
        )

    def differs(self, row: ErasureFacts, destinations: Collection[DestinationNumber] = ()) -> bool:
        """Whether a row is not as its entries have it. An older version of Onefold wrote no entry of a request.

        `destinations` are those of the database, which may be restored from before one was created.
        """
        request_id = public("req", row.request_id)
        request, outcome = self._requests.get(f"{LedgerAction.REQUEST_RECEIVED} {request_id}"), self._outcome(row)
        if request is not None and not _is_asked(row, request):
            return True
        if row.state in (ErasureState.RECEIVED, ErasureState.ON_HOLD, ErasureState.CANCELLED):
            noted = {
                ErasureState.ON_HOLD: f"{LedgerAction.SUPPRESSED} {public('ers', row.id)}",
                ErasureState.CANCELLED: f"{LedgerAction.ERASURE_CANCELLED} {request_id}",
            }.get(ErasureState(row.state))
            return outcome is not None or not (noted is None or noted in self._noted)
        if outcome is None:
            return request is not None or row.kind in DELETES
        if row.internal_at != outcome.at or (request is not None and row.hash.hex() not in outcome.hashes):
            return True
        if row.kind not in DELETES:
            return False
        followed = row.state != ErasureState.FINISHED or self._is_followed(row, outcome, destinations)
        return not followed or (row.found is not None and row.found != bool(outcome.keys))

    def _is_followed(
        self, row: ErasureFacts, outcome: PrivacyEntry, destinations: Collection[DestinationNumber]
    ) -> bool:
        """Whether backups are safe as the first later roll says, and each informed destination has a notice."""
        safe_at = self._rolls.safe_at(outcome.destroyed_epoch)
        return row.backup_safe_at == safe_at and row.informed >= set(outcome.informed).intersection(destinations)

    def _outcome(self, row: ErasureFacts) -> PrivacyEntry | None:
        if row.kind in DELETES:
            subject, action = public("ers", row.duplicate_of or row.id), LedgerAction.ERASED
        else:
            lifts = row.kind == RequestKind.UNSUPPRESS
            subject = public("req", row.request_id)
            action = LedgerAction.SUPPRESSION_LIFTED if lifts else LedgerAction.SUPPRESSED
        return self._outcomes.get(f"{action} {subject}")


def _place(entry: PrivacyEntry) -> str:
    return f"{entry.action} {entry.subject}"


def _is_asked(row: ErasureFacts, request: PrivacyEntry) -> bool:
    """Whether the row has what the entry of its request says."""
    fields = next((each for each in request.erasures if each[_ID] == row.id.hex()), None)
    stated = (row.kind, row.regulation, row.received_at, row.hash.hex(), row.commitment.hex())
    return fields is not None and stated == (
        request.kind,
        request.regulation,
        request.received_at,
        fields[_HASH],
        fields[_COMMITMENT],
    )
