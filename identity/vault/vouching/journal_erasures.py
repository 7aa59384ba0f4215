"""The outcomes of erasures that the journal of a space records: destinations with data, and when backups are safe.

Invariant: only entries with a MAC count, so the status of an erasure says no more than its receipt.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from identity.values.ids import DestinationNumber, ErasureId, private
from identity.values.ledger_actions import LedgerAction, starts
from identity.values.stamps import Micros

_STARTS: Final = starts((LedgerAction.ERASED, LedgerAction.KEYS_ROLLED))


class RecordedOutcome(NamedTuple):
    """What an entry says; `epoch` is None where no key was destroyed. `informed` are destinations with data."""

    epoch: int | None
    informed: tuple[DestinationNumber, ...]


class _OutcomeEntry(msgspec.Struct, frozen=True):
    action: str
    subject: str | None = None
    epoch: int = 0
    safe_at: Micros | None = None
    keys: list[str] = []
    informed: list[DestinationNumber] = msgspec.field(default_factory=list, name="told")


_decoder: Final = msgspec.json.Decoder(_OutcomeEntry)


class JournalErasures:
    """What the entries taken up so far say."""

    def __init__(self, is_vouched: Callable[[bytes], bool]) -> None:
        self.outcomes: dict[ErasureId, RecordedOutcome] = {}
        self._rolls: list[tuple[int, Micros]] = []
        self._is_vouched = is_vouched

    def take(self, raw: bytes) -> None:
        """Take up the next entry of the journal; a repeated one changes nothing."""
        if not raw.startswith(_STARTS) or not self._is_vouched(raw):
            return
        entry = _decoder.decode(raw)
        if entry.action == LedgerAction.KEYS_ROLLED:
            if entry.safe_at is not None and (not self._rolls or entry.epoch > self._rolls[-1][0]):
                self._rolls.append((entry.epoch, entry.safe_at))
        elif (id_ := private("ers", entry.subject or "")) is not None:
            outcome = RecordedOutcome(entry.epoch if entry.keys else None, tuple(entry.informed))
            self.outcomes.setdefault(ErasureId(id_), outcome)

    def safe_at(self, outcome: RecordedOutcome) -> Micros | None:
        """When backups are safe: as the first roll after the erasure says; None before a roll."""
        if outcome.epoch is None:
            return None
        return next((safe_at for epoch, safe_at in self._rolls if epoch > outcome.epoch), None)
