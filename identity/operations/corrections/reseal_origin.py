"""Writes anew what lies at an origin, under a fresh key: the old one is gone with the transaction.

So whatever an origin gives away can never be opened again by way of what it kept, and erasing one
side of what was parted leaves the other no way in.
"""

from collections.abc import Iterable

from identity.operations.corrections.unseal_profiles import UnsealedProfiles
from identity.planning.resolution import document as traits
from identity.planning.resolution.planner_state import Sighting
from identity.planning.resolution.stored_calls import Kept, pack_stamped
from identity.spaces.new_subject_keys import NewSubjectKeys
from identity.store.ingest.write import Writes
from identity.store.postgres import rows
from identity.store.postgres.rows import EvidenceRow
from identity.values.documents import Document
from identity.vault.seal import DOCUMENT, EVENT, EVIDENCE, IDENTIFIER
from identity.vault.subject_keys import SubjectKey


class OriginResealer:
    """Adds to `writes` what some origins hold from now on. Each is lifted or made, and then filled."""

    def __init__(self, opened: UnsealedProfiles, new_keys: NewSubjectKeys, writes: Writes) -> None:
        self.opened = opened
        self.space = opened.exclusive.space
        self.writes = writes
        self._new_keys = new_keys

    def finish(self) -> None:
        """Adds the keys that were made."""
        self.writes.slot, self.writes.subject_keys = self._new_keys.new_slot, self._new_keys.rows

    def lift(self, ids: Iterable[bytes]) -> None:
        """Takes everything away from these origins, whose identifiers go with their rows."""
        lifted = set(ids)
        group = self.space.keys.group
        self.writes.lifted += sorted(lifted)
        self.writes.detached += [(row.origin, key) for key, row in self.opened.held.items() if row.origin in lifted]
        for id_ in lifted:
            self.writes.left += [(group(name), id_) for name in self.opened.groups(id_)]

    def subject(self, id_: bytes) -> SubjectKey:
        """The fresh key of an origin."""
        return self._new_keys.get(id_) or self._new_keys.make(id_)

    def identifier(self, id_: bytes, key: bytes, value: bytes, row: rows.LinkRow) -> None:
        """An identifier of an origin."""
        sealed = self.subject(id_).seal(IDENTIFIER, key[:16], 0, value)
        self.writes.identifiers.append(rows.IdentifierRow(key, id_, *row, sealed))

    def document(self, id_: bytes, document: Document) -> None:
        """What an origin was told, its memberships with it."""
        if document == Document():
            return
        sealed = self.subject(id_).seal(DOCUMENT, id_, 1, traits.pack(document))
        self.writes.new_documents.append(rows.DocumentRow(id_, 1, sealed))
        for name, (member, time, stamp) in document.groups.items():
            self.writes.memberships.append((self.space.keys.group(name), id_, bool(member), time, stamp))

    def evidence(self, id_: bytes, row: EvidenceRow, plain: bytes) -> None:
        """A call or an act that lies at an origin; what it kept and demoted is as the row says."""
        payload = self.subject(id_).seal(EVIDENCE, id_, row.stamp, plain)
        self.writes.evidence.append(
            rows.EvidenceRow(id_, row.stamp, row.kind, row.kept, row.demoted, payload, row.rules_version)
        )

    def events(self, id_: bytes, calls: list[tuple[int, Kept]]) -> None:
        """Plain calls of an origin that are packed together."""
        stamp = calls[0][0]
        payload = self.subject(id_).seal(EVENT, id_, stamp, pack_stamped(calls))
        self.writes.events.append(rows.EventRow(id_, stamp, len(calls), payload))

    def sighting(self, id_: bytes, set_key: bytes, seen: Sighting) -> None:
        """A set of identifiers that was seen at an origin."""
        sources = b"".join(source.to_bytes(4, "big") for source in seen.sources)
        self.writes.new_sightings.append(rows.SightingRow(id_, set_key, seen.count, seen.days, seen.last_day, sources))

    def history(self, id_: bytes, line: rows.HistoryRow) -> None:
        """A line of history."""
        self.writes.history.append(line._replace(profile=id_))
