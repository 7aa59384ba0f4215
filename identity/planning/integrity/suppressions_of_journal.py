"""The suppressions for good that the entries of a journal leave: what the suppression list has to hold.

An erasure that was under a hold and does not suppress ends the suppressions that only the hold kept. Its entry lists
these; entries of older releases do not, and end all of their hashes.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from identity.values.ledger_actions import LedgerAction, starts

LIFTS: Final = starts((LedgerAction.SUPPRESSION_LIFTED, LedgerAction.WAITING_ENDED, LedgerAction.ERASED))
"""How the entries begin that may end a suppression; each is vouched for."""
_STARTS: Final = (*starts([LedgerAction.SUPPRESSED]), *LIFTS)


class _SuppressionEntry(msgspec.Struct, frozen=True):
    action: str
    subject: str | None = None
    hashes: list[str] = []
    whole: bool = False
    lifted: list[str] | None = None


_decoder: Final = msgspec.json.Decoder(_SuppressionEntry)


def suppressed_hashes(entries: Iterable[bytes]) -> set[bytes]:
    """The hashes of the identifiers that are suppressed after these entries, oldest first."""
    suppressed: set[bytes] = set()
    held: set[str] = set()
    for raw in entries:
        if not raw.startswith(_STARTS):
            continue
        entry = _decoder.decode(raw)
        hashes = {bytes.fromhex(each) for each in entry.hashes}
        subject = entry.subject or ""
        if entry.action == LedgerAction.SUPPRESSED:
            suppressed |= hashes
            if subject.startswith("ers_"):
                held.add(subject)
        elif entry.action == LedgerAction.ERASED:
            if entry.whole:
                suppressed |= hashes
            elif subject in held:
                suppressed -= hashes if entry.lifted is None else {bytes.fromhex(each) for each in entry.lifted}
            held.discard(subject)
        else:
            suppressed -= hashes
            held.discard(subject)
    return suppressed
