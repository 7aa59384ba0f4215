"""The outcomes of erasures that the journal of a space records: destinations with data, and when backups are safe.

Invariant: only entries with a MAC count, so the status of an erasure says no more than its receipt.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from identity.values.ids import DestinationNumber, ErasureId, private
from identity.values.ledger_actions import KeyRolls, LedgerAction, read_privacy_entry, starts
from identity.values.stamps import Micros

_STARTS: Final = starts((LedgerAction.ERASED, LedgerAction.KEYS_ROLLED))


class RecordedOutcome(NamedTuple):
    """What an entry says; `epoch` is None where no key was destroyed. `informed` are destinations with data."""

    epoch: int | None
    informed: tuple[DestinationNumber, ...]


class JournalErasures:
    """What the entries taken up so far say."""

    def __init__(self, is_vouched: Callable[[bytes], bool]) -> None:
        self.outcomes: dict[ErasureId, RecordedOutcome] = {}
        self._rolls = KeyRolls()
        self._is_vouched = is_vouched

    def take(self, raw: bytes) -> None:
        """Take up the next entry of the journal; a repeated one changes nothing."""
        if not raw.startswith(_STARTS) or not self._is_vouched(raw):
            return
        entry = read_privacy_entry(raw)
        if entry.action == LedgerAction.KEYS_ROLLED:
            self._rolls.take(entry)
        elif (id_ := private("ers", entry.subject or "")) is not None:
            outcome = RecordedOutcome(entry.destroyed_epoch, tuple(entry.informed))
            self.outcomes.setdefault(ErasureId(id_), outcome)

    def safe_at(self, outcome: RecordedOutcome) -> Micros | None:
        """When backups are safe: as the first roll after the erasure says; None before a roll."""
        return self._rolls.safe_at(outcome.epoch)
