"""The newest state of keys, rules, purposes, identity keys, destinations and holds that the journal of a space records.

An entry about a document holds the sealed document, which opens only at its own version: so an entry that a writer of
the database appends to the ledger raises nothing. Invariant: what `JournalHeads` knows only grows, so somebody else put
back a row that is older. A caller takes `current` before it reads a row; a row that Onefold changes meanwhile is then
newer, never older.

An entry that ends or pauses something (a key, a destination, all destinations after a restore) needs no proof. A writer
who forges one ends that thing for good, and can do the same by deleting the row. An entry that ends a pause has a MAC,
and names the restore, so neither a forged nor a repeated one counts. The entries that place and release a hold have one
too, and so have those of a rotation of the index key, of a roll of the epoch keys, of the deletion of a space, and of a
new space, which names its default rules: a hold or a space of an older version, without it, is as the database has it.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final

import msgspec

from identity.values.errors import LedgerBroken, SealBroken
from identity.values.ids import private
from identity.values.ledger_actions import LedgerAction, starts
from identity.values.not_ready import DestinationPaused, RolledBack
from identity.vault.journal import Journal
from identity.vault.seal import DESTINATION, IDENTITY_KEYS, PURPOSES, RULES, SealPlace
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching.journal_constraints import JournalConstraints
from identity.vault.vouching.journal_erasures import JournalErasures
from identity.vault.vouching.ledger_entries import is_vouched_entry

_STARTS: Final = starts(
    (
        LedgerAction.SPACE_CREATED,
        LedgerAction.SPACE_DELETED,
        LedgerAction.SPACE_RESTORED,
        LedgerAction.KEY_REVOKED,
        LedgerAction.KEYS_ROLLED,
        LedgerAction.INDEX_ROTATED,
        LedgerAction.RULES_PUT,
        LedgerAction.PURPOSES_PUT,
        LedgerAction.IDENTITY_KEYS_PUT,
        LedgerAction.DESTINATION_CREATED,
        LedgerAction.DESTINATION_PUT,
        LedgerAction.DESTINATION_ROTATED,
        LedgerAction.DESTINATION_DELETED,
        LedgerAction.DESTINATION_RESUMED,
        LedgerAction.HOLD_PLACED,
        LedgerAction.HOLD_RELEASED,
    )
)
_DOCUMENTS: Final = {
    action.value: at
    for at, action in enumerate((LedgerAction.RULES_PUT, LedgerAction.PURPOSES_PUT, LedgerAction.IDENTITY_KEYS_PUT))
}
_PLACES: Final = (RULES, PURPOSES, IDENTITY_KEYS)
_PROVEN_BY_MAC: Final = starts(
    (
        LedgerAction.SPACE_CREATED,
        LedgerAction.SPACE_DELETED,
        LedgerAction.DESTINATION_RESUMED,
        LedgerAction.HOLD_PLACED,
        LedgerAction.HOLD_RELEASED,
        LedgerAction.KEYS_ROLLED,
        LedgerAction.INDEX_ROTATED,
    )
)


class _Entry(msgspec.Struct, frozen=True):
    action: str
    subject: str | None = None
    version: int = 0
    document: str | None = None
    restore: str | None = None
    indexes: list[str] = []
    epoch: int = 0


_decoder: Final = msgspec.json.Decoder(_Entry)


class Heads(msgspec.Struct, frozen=True):
    """What is in force at least: versions, the ids of destinations and keys that have ended.

    `defaults` is the generation of default rules that the space began with; 0 also where no entry names one.
    `restore` names the newest restore of the database, and `resumed` are the destinations that an administrator resumed
    since, or created. `holds` are the blind indexes that each hold names, by public id; a released one names none. The
    `rekeyed` ones name other indexes since a rotation of the index key. `deleted`: an operator deleted the space.
    `index` is the version of the index key, `epoch` that of the epoch key; 0 before the first change.
    """

    defaults: int = 0
    rules: int = 0
    purposes: int = 0
    destinations: Mapping[bytes, int] = {}
    ended: frozenset[bytes] = frozenset()
    revoked: frozenset[str] = frozenset()
    restore: str | None = None
    resumed: frozenset[bytes] = frozenset()
    holds: Mapping[str, frozenset[bytes]] = {}
    rekeyed: frozenset[str] = frozenset()
    deleted: bool = False
    index: int = 0
    epoch: int = 0
    identity_keys: int = 0

    @property
    def may_be_destroyed(self) -> bool:
        """Whether an operator deleted the space, and no hold is in force in its journal."""
        return self.deleted and not any(self.holds.values())

    def require_resumed(self, id_: bytes) -> None:
        """DestinationPaused for a destination that nobody resumed since a restore."""
        if self.is_paused(id_):
            raise DestinationPaused

    def is_paused(self, id_: bytes) -> bool:
        """Whether a restore paused a destination, and nobody resumed it since."""
        return self.restore is not None and id_ not in self.resumed

    def require_rules(self, version: int) -> None:
        """RolledBack where the journal has newer rules."""
        if version < self.rules:
            raise RolledBack

    def require_purposes(self, version: int) -> None:
        """RolledBack where the journal has newer purposes."""
        if version < self.purposes:
            raise RolledBack

    def require_identity_keys(self, version: int) -> None:
        """RolledBack where the journal has newer identity keys: an ended one would be in force again."""
        if version < self.identity_keys:
            raise RolledBack

    def require_destination(self, id_: bytes, version: int) -> None:
        """RolledBack where the journal has a newer document of a destination, or its end."""
        if id_ in self.ended or version < self.destinations.get(id_, 0):
            raise RolledBack

    def lost_holds(self, stored: Mapping[str, frozenset[bytes]]) -> list[str]:
        """The holds in force that lack an index in the database, where `stored` has the indexes by hold."""
        lost = []
        for id_, recorded in self.holds.items():
            found = stored.get(id_, frozenset())
            if len(found) < len(recorded) or (id_ not in self.rekeyed and not recorded <= found):
                lost.append(id_)
        return lost


class JournalHeads:
    """Reads the heads of one space; each reading goes on where the last one ended.

    `constraints` are what the journal records of suppressed, erased and blocked identifiers, `erasures` the outcomes.
    """

    def __init__(self, keys: SpaceKeys, journal: Journal) -> None:
        self.current = Heads()
        self.constraints = JournalConstraints(self._is_vouched)
        self.erasures = JournalErasures(self._is_vouched)
        self._keys = keys
        self._journal = journal
        self._offset = 0
        self._reading = Lock()

    def read(self) -> None:
        """Take up what the journal records since the last reading. LedgerBroken, KeyUnavailable."""
        with self._reading:
            entries, offset = self._journal.since(self._offset)
            try:
                found = [_decoder.decode(each) for each in entries if each.startswith(_STARTS) and self._counts(each)]
            except msgspec.DecodeError as error:
                raise LedgerBroken from error
            if found:
                self.current = advance(self.current, found, self._keys)
            for each in entries:
                self.constraints.take(each)
                self.erasures.take(each)
            # Only now: an entry that raises is not passed over the next time.
            self._offset = offset

    def _counts(self, entry: bytes) -> bool:
        return not entry.startswith(_PROVEN_BY_MAC) or self._is_vouched(entry)

    def _is_vouched(self, entry: bytes) -> bool:
        return is_vouched_entry(self._keys, entry)


def advance(heads: Heads, entries: Sequence[_Entry], keys: SpaceKeys) -> Heads:
    """The heads after more entries of the journal."""
    versions = [heads.rules, heads.purposes, heads.identity_keys]
    destinations = dict(heads.destinations)
    ended, revoked = set(heads.ended), set(heads.revoked)
    restore, resumed = heads.restore, set(heads.resumed)
    holds, rekeyed = _holds(heads, entries)
    for entry in entries:
        subject = entry.subject or ""
        if entry.action == LedgerAction.KEY_REVOKED:
            revoked.add(subject)
        elif (at := _DOCUMENTS.get(entry.action)) is not None:
            proven = _proven(keys, _PLACES[at], keys.id, _number(subject), entry.document)
            versions[at] = max(versions[at], proven)
        elif entry.action == LedgerAction.SPACE_RESTORED:
            restore, resumed = entry.restore or "", set()
        elif (id_ := private("dst", subject)) is None:
            continue
        elif entry.action == LedgerAction.DESTINATION_DELETED:
            ended.add(id_)
        elif entry.action == LedgerAction.DESTINATION_RESUMED:
            resumed |= {id_} if entry.restore == restore else set()
        else:
            proven = _proven(keys, DESTINATION, id_, entry.version, entry.document)
            if entry.action == LedgerAction.DESTINATION_CREATED and proven and id_ not in destinations:
                # New since the restore; a repeated entry is about a destination that was there before.
                resumed.add(id_)
            destinations[id_] = max(destinations.get(id_, 0), proven)
    return Heads(
        defaults=max(
            [heads.defaults, *(entry.version for entry in entries if entry.action == LedgerAction.SPACE_CREATED)]
        ),
        rules=versions[0],
        purposes=versions[1],
        identity_keys=versions[2],
        destinations=destinations,
        ended=frozenset(ended),
        revoked=frozenset(revoked),
        restore=restore,
        resumed=frozenset(resumed),
        holds=holds,
        rekeyed=rekeyed,
        index=max([heads.index, *(entry.version for entry in entries if entry.action == LedgerAction.INDEX_ROTATED)]),
        epoch=max([heads.epoch, *(entry.epoch for entry in entries if entry.action == LedgerAction.KEYS_ROLLED)]),
        deleted=heads.deleted or any(entry.action == LedgerAction.SPACE_DELETED for entry in entries),
    )


def _holds(heads: Heads, entries: Sequence[_Entry]) -> tuple[Mapping[str, frozenset[bytes]], frozenset[str]]:
    """The holds after more entries, and those that were rekeyed. A repeated entry places no released hold again."""
    holds, rekeyed = dict(heads.holds), set(heads.rekeyed)
    for entry in entries:
        subject = entry.subject or ""
        if entry.action == LedgerAction.HOLD_PLACED:
            holds.setdefault(subject, frozenset(bytes.fromhex(index) for index in entry.indexes))
        elif entry.action == LedgerAction.HOLD_RELEASED:
            holds[subject] = frozenset()
        elif entry.action == LedgerAction.INDEX_ROTATED:
            rekeyed |= holds.keys()
    return holds, frozenset(rekeyed)


def _proven(keys: SpaceKeys, place: SealPlace, row_id: bytes, version: int, document: str | None) -> int:
    """The version of a document that opens at it; 0 for an entry without one, of an older version of Onefold."""
    if not document:
        return 0
    try:
        keys.open(place, row_id, version, b64decode(document, validate=True))
    except (SealBroken, NotBase64, OverflowError):
        return 0
    return version


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0
