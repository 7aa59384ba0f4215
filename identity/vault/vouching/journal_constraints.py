"""The suppressions, erasures, blocks and withdrawals of consent that the journal of a space records.

No row of the database can take these back.

Invariant: only entries with a MAC count, and an entry about suppressions counts once. So a database writer who
appends or repeats entries in the ledger neither ends a suppression nor adds one. Entries from before Onefold vouched
for them are not taken up: their suppressions are as the database has them, until an audit.

Ingest asks here after it has read the rows: a call that names a suppressed person stays out, whatever the rows say.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

import msgspec

from identity.values.ledger_actions import LedgerAction, starts
from identity.values.stamps import Micros, Stamp

SUPPRESSION_MISSING: Final = "suppression_missing"
"""The reason in the log where the rows lack a suppression of the journal."""
_STARTS: Final = starts(
    (
        LedgerAction.SUPPRESSED,
        LedgerAction.SUPPRESSION_LIFTED,
        LedgerAction.WAITING_ENDED,
        LedgerAction.ERASED,
        LedgerAction.IDENTIFIER_REMOVED,
        LedgerAction.CONSENT_WITHDRAWN,
        LedgerAction.INDEX_ROTATED,
    )
)
_ERASURE: Final = "ers_"


class _ConstraintEntry(msgspec.Struct, frozen=True):
    action: str
    at: Micros = Micros(0)
    subject: str | None = None
    hashes: list[str] = []
    blocked: list[str] = []
    whole: bool = False
    profiles: list[str] = []
    lifted: list[str] | None = None
    origin: str = ""
    stamp: Stamp = Stamp(0)


_decoder: Final = msgspec.json.Decoder(_ConstraintEntry)


class JournalConstraints:
    """What the entries taken up so far leave; each identifier is named by its hash in the suppression list.

    `suppressed` are suppressed for good, `erased` up to a time. `blocked` are the hashes of blocked identifiers, and
    `blocked_keys` their blind indexes at the time of the block, of which a rotation of the index key may have replaced
    the `rekeyed` ones. `withdrawals` are the stamps of withdrawals by origin. `withheld` are the origins that
    nobody may read, since an erasure waits for a hold.
    """

    def __init__(self, is_vouched: Callable[[bytes], bool]) -> None:
        self.suppressed: set[bytes] = set()
        self.erased: dict[bytes, Micros] = {}
        self.blocked: set[bytes] = set()
        self.blocked_keys: set[bytes] = set()
        self.rekeyed: set[bytes] = set()
        self.withheld: set[bytes] = set()
        self.withdrawals: dict[bytes, tuple[Stamp, ...]] = {}
        self._is_vouched = is_vouched
        self._held: set[str] = set()
        self._taken: set[bytes] = set()

    def __bool__(self) -> bool:
        return bool(self.suppressed or self.erased or self.blocked)

    def take(self, raw: bytes) -> None:
        """Take up the next entry of the journal."""
        if not raw.startswith(_STARTS) or not self._is_vouched(raw):
            return
        entry = _decoder.decode(raw)
        hashes = {bytes.fromhex(hash_) for hash_ in entry.hashes}
        subject = entry.subject or ""
        if entry.action == LedgerAction.SUPPRESSED and self._is_first(raw):
            self.suppressed |= hashes
            if subject.startswith(_ERASURE):
                self._held.add(subject)
                self.withheld |= _ids(entry.profiles)
        elif entry.action == LedgerAction.IDENTIFIER_REMOVED:
            self.blocked |= hashes
            self.blocked_keys |= {bytes.fromhex(key) for key in entry.blocked}
        elif entry.action == LedgerAction.INDEX_ROTATED:
            self.rekeyed |= self.blocked_keys
        elif entry.action == LedgerAction.CONSENT_WITHDRAWN:
            origin = bytes.fromhex(entry.origin)
            self.withdrawals[origin] = (*self.withdrawals.get(origin, ()), entry.stamp)
        elif entry.action == LedgerAction.ERASED:
            self._erase(raw, entry, hashes)
        elif entry.action in (LedgerAction.SUPPRESSION_LIFTED, LedgerAction.WAITING_ENDED) and self._is_first(raw):
            self.suppressed -= hashes
            self.withheld -= _ids(entry.profiles)
            self._held.discard(subject)

    def withholds(self, origins: Iterable[bytes]) -> bool:
        """Whether an erasure that waits for a hold hides one of these origins."""
        return bool(self.withheld) and not self.withheld.isdisjoint(origins)

    def missing(self, hashes: Collection[bytes], stored: Collection[bytes]) -> set[bytes]:
        """The hashes among these that the journal suppresses, and the rows in `stored` do not."""
        return {hash_ for hash_ in hashes if hash_ in self.suppressed}.difference(stored)

    def lost_blocks(self, stored: Collection[bytes]) -> list[str]:
        """The blocks that the rows lack, where `stored` has the blind indexes of all.

        Of identifiers that were blocked before a rotation of the index key only the number is compared.
        """
        lost = [key.hex() for key in sorted(self.blocked_keys - self.rekeyed - set(stored))]
        if not lost and len(stored) < len(self.blocked):
            lost = ["blocked before a rotation of the index key"] * (len(self.blocked) - len(stored))
        return lost

    def _erase(self, raw: bytes, entry: _ConstraintEntry, hashes: set[bytes]) -> None:
        subject = entry.subject or ""
        for hash_ in hashes:
            self.erased[hash_] = max(entry.at, self.erased.get(hash_, entry.at))
        if not self._is_first(raw):
            return
        self.withheld -= _ids(entry.profiles)
        if entry.whole:
            self.suppressed |= hashes
        elif subject in self._held:
            self.suppressed -= hashes if entry.lifted is None else {bytes.fromhex(each) for each in entry.lifted}
        self._held.discard(subject)

    def _is_first(self, raw: bytes) -> bool:
        """Whether an entry about suppressions comes for the first time; the MAC, at its end, names the entry."""
        mac = raw[-66:]
        new = mac not in self._taken
        self._taken.add(mac)
        return new


def _ids(texts: Iterable[str]) -> set[bytes]:
    return {bytes.fromhex(text) for text in texts}
