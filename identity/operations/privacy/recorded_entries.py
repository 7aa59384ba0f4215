"""Finds the entries of the journal that prove an erasure: its request, its outcome, the later key roll and leak scan.

An entry counts only if Onefold vouches for it, or if it is older than the first version that did.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from identity.planning.privacy.privacy_requests import ErasureResult
from identity.spaces.space import Space
from identity.values.ids import public
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction, starts
from identity.values.stamps import Micros
from identity.vault.journal import JournalLine
from identity.vault.vouching.ledger_entries import is_vouched_entry

_REQUEST = starts([LedgerAction.REQUEST_RECEIVED])
_OUTCOME = starts([LedgerAction.ERASED])
_ROLL = starts([LedgerAction.KEYS_ROLLED])
_SCAN = starts([LedgerAction.LEAK_SCANNED])


class RecordedEntries(Struct):
    """The entries about one erasure, decoded; `hash` and `seq` are those of the outcome."""

    request: JsonObject | None = None
    outcome: JsonObject | None = None
    seq: int = 0
    hash: bytes = b""
    safe_at: Micros | None = None
    scan: JsonObject | None = None


def recorded_entries(space: Space, erasure: ErasureResult) -> RecordedEntries:
    """Read the entries about an erasure from the journal. LedgerBroken, KeyUnavailable."""
    found = RecordedEntries()
    request = b'"subject":"%s"' % public("req", erasure.request_id).encode()
    outcome = b'"subject":"%s"' % public("ers", erasure.duplicate_of or erasure.id).encode()
    for line in _vouched(space):
        raw = line.entry
        if raw.startswith(_REQUEST) and request in raw:
            found.request = msgspec.json.decode(raw)
        elif found.outcome is None and raw.startswith(_OUTCOME) and outcome in raw:
            found.outcome, found.seq, found.hash = msgspec.json.decode(raw), line.seq, line.hash
        elif found.outcome is not None and raw.startswith(_ROLL):
            roll = msgspec.json.decode(raw)
            if found.safe_at is None and roll.get("epoch", 0) > found.outcome["epoch"]:
                found.safe_at = roll.get("safe_at")
        elif found.outcome is not None and raw.startswith(_SCAN):
            found.scan = msgspec.json.decode(raw)
    return found


def _vouched(space: Space) -> Iterator[JournalLine]:
    older = space.journal.vouched_after()
    for line in space.journal.after(0):
        # A leak scan needs no keys, so its entry has no MAC: it is what the journal has.
        if line.seq <= older or line.entry.startswith(_SCAN) or is_vouched_entry(space.keys, line.entry):
            yield line
