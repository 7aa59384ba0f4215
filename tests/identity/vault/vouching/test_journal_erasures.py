"""What the journal says of erasures: only genuine entries, and the first of each."""

import msgspec

from identity.values.ids import DestinationNumber, ErasureId, public
from identity.vault.vouching.journal_erasures import JournalErasures, RecordedOutcome

INFORMED = "told"
ID = ErasureId(b"e" * 16)


def entry(action: str, **more: object) -> bytes:
    """An entry as the ledger has it."""
    return msgspec.json.encode({"action": action, "at": 9, "subject": public("ers", ID), **more})


def test_the_first_genuine_outcome_and_the_first_later_roll_count() -> None:
    """A forged entry changes nothing, nor does a repeated one."""
    forged = entry("keys.roll", epoch=9, safe_at=1)
    journal = JournalErasures(lambda raw: raw != forged)
    for raw in (
        entry("keys.roll", epoch=2, safe_at=10),
        forged,
        entry("erase", keys=["00"], epoch=2, **{INFORMED: [7]}),
        entry("erase", keys=["00"], epoch=0, **{INFORMED: []}),
    ):
        journal.take(raw)
    outcome = RecordedOutcome(2, (DestinationNumber(7),))
    assert journal.outcomes == {ID: outcome}
    assert journal.safe_at(outcome) is None
    for epoch, safe_at in ((3, 30), (3, 31), (4, 40)):
        journal.take(entry("keys.roll", epoch=epoch, safe_at=safe_at))
    assert journal.safe_at(outcome) == 30
    assert journal.safe_at(RecordedOutcome(None, ())) is None
