"""Between plan and apply of an unmerge: the rows of both sides, a split origin's under fresh keys.

Whatever lies at a split origin is sealed anew, on both sides: the key that opened it before is
gone with this transaction, so erasing one side later can never leave the other a way in.
"""

from typing import Any

from identity.journeys.undo.opening import Opened
from identity.minting import Mint
from identity.model import STORED_KINDS, Kind, Source
from identity.origins import written
from identity.planning import traits
from identity.planning.parting import Parting, Split
from identity.planning.plan import Change, Note
from identity.planning.records import Kept
from identity.planning.records import pack_kept as pack
from identity.planning.records import pack_stamped as pack_events
from identity.planning.state import Document
from identity.store import rows
from identity.store.apply import Writes
from identity.store.load import CUTS
from identity.vault.seal import DOCUMENT, EVENT, EVIDENCE, IDENTIFIER
from identity.vault.subject import SubjectKey


def act_record(kind: Kind, source: Source, at: int, body: dict[str, Any]) -> Kept:
    """An act in the form that calls are stored in."""
    return Kept(STORED_KINDS.index(kind), "", at, at, source.key, source.server, body)


def seal_parting(opened: Opened, parting: Parting, mint: Mint, record: Kept, lane: int) -> Writes:
    """The rows of an unmerge; `record` is the act itself, which lies with the side that stays."""
    ground = opened.ground
    codes, rules = ground.space.codes, ground.rules.version
    writes = Writes(gate=parting.stamp, lane=lane)
    twins = {split.twin for split in parting.splits}
    for id_, profile in parting.profiles.items():
        row = written(profile, codes)
        if id_ in twins:
            writes.born.append(row)
        else:
            writes.touched.append((row, opened.rows[id_].stamp))
    for split in parting.splits:
        _Resealing(opened, parting, split, mint, writes).seal()
    lifted = set(writes.lifted)
    for key, link in parting.links.items():
        before = opened.held[key]
        if before.origin not in lifted and before.retired and not link.retired:
            writes.unretired.append((link.origin, key))
    if parting.cut is not None:
        writes.cuts = [(key, parting.cut, side) for key, side in parting.sides]
        writes.marks = CUTS
    subject = mint.get(parting.staying.id) or opened.subjects[parting.staying.id]
    seal_act(writes, subject, parting.staying.id, parting.stamp, parting.named, record, rules)
    writes.history += history(parting.notes, rules, record.source)
    writes.changes = changes(parting.changes)
    writes.slot, writes.subject_keys = mint.new_slot, mint.rows
    return writes


def seal_act(
    writes: Writes, subject: SubjectKey, origin: bytes, stamp: int, named: list[bytes], record: Kept, rules: int
) -> None:
    """Adds an act to the evidence of an origin."""
    payload = subject.seal(EVIDENCE, origin, stamp, pack(record))
    writes.evidence.append(rows.EvidenceRow(origin, stamp, record.kind, b"".join(named), None, payload, rules))


def history(notes: list[Note], rules: int, actor: int) -> list[rows.HistoryRow]:
    """The lines of an act, at most one to a profile."""
    return [rows.HistoryRow(n.profile, n.stamp, 0, n.kind, n.other, b"".join(n.keys), rules, actor) for n in notes]


def changes(told: list[Change]) -> list[rows.ChangeRow]:
    """What an act tells the feed."""
    return [rows.ChangeRow(c.op, c.version, c.at, c.profile, c.other) for c in told]


class _Resealing:
    """Writes all of a split origin anew, here and at its twin."""

    def __init__(self, opened: Opened, parting: Parting, split: Split, mint: Mint, writes: Writes) -> None:
        self.opened = opened
        self.parting = parting
        self.split = split
        self.writes = writes
        self.subjects = {id_: mint.make(id_) for id_ in (split.origin, split.twin)}

    def seal(self) -> None:
        """Adds every row."""
        self.writes.lifted.append(self.split.origin)
        self._identifiers()
        self._document(self.split.origin, self.split.staying)
        self._document(self.split.twin, self.split.leaving)
        self._calls()
        self._seen()

    def _identifiers(self) -> None:
        writes, origin = self.writes, self.split.origin
        for key, row in self.opened.held.items():
            if row.origin != origin:
                continue
            link = self.parting.links.get(key) or self.opened.whole.links[key]
            writes.detached.append((origin, key))
            value = self.subjects[link.origin].seal(IDENTIFIER, key[:16], 0, self.opened.value(key))
            again = (link.retired, row.source, row.linked_at, row.first_seen, row.last_seen)
            writes.identifiers.append(rows.IdentifierRow(key, link.origin, row.type, *again, value))

    def _document(self, id_: bytes, document: Document) -> None:
        writes, group = self.writes, self.opened.ground.space.keys.group
        if id_ == self.split.origin:
            writes.left += [(group(name), id_) for name in self.opened.groups.get(id_, ())]
        if document == Document():
            return
        sealed = self.subjects[id_].seal(DOCUMENT, id_, 1, traits.pack(document))
        writes.new_documents.append(rows.DocumentRow(id_, 1, sealed))
        for name, (member, time, stamp) in document.groups.items():
            writes.memberships.append((group(name), id_, bool(member), time, stamp))

    def _calls(self) -> None:
        writes, split = self.writes, self.split
        for row, plain in self.opened.evidence.get(split.origin, ()):
            at = split.twin if row.stamp in split.evidence else split.origin
            payload = self.subjects[at].seal(EVIDENCE, at, row.stamp, plain)
            writes.evidence.append(
                rows.EvidenceRow(at, row.stamp, row.kind, row.kept, row.demoted, payload, row.rules_version)
            )
        calls: dict[tuple[bytes, int], list[tuple[int, Kept]]] = {}
        for packed, stamp, call in self.opened.events.get(split.origin, ()):
            at = split.twin if stamp in split.events else split.origin
            calls.setdefault((at, packed), []).append((stamp, call))
        for (at, _), packed_calls in calls.items():
            stamp = packed_calls[0][0]
            payload = self.subjects[at].seal(EVENT, at, stamp, pack_events(packed_calls))
            writes.events.append(rows.EventRow(at, stamp, len(packed_calls), payload))

    def _seen(self) -> None:
        writes, split = self.writes, self.split
        for seen in self.opened.sightings.get(split.origin, ()):
            at = split.twin if seen.set_key in split.sightings else split.origin
            writes.new_sightings.append(seen._replace(origin=at))
        for line in self.opened.history.get(split.origin, ()):
            at = split.twin if line.stamp in split.evidence else split.origin
            writes.history.append(line._replace(profile=at))
