"""Seals everything of an origin again under a new key; the old key is destroyed in the same transaction.

So an origin cannot open what it gave away, and erasing one side of a split leaves no way in from the other side.
"""

from collections.abc import Iterable

from identity.operations.corrections.unseal_profiles import UnsealedProfiles
from identity.planning.resolution import fold_documents
from identity.planning.resolution.planner_state import Sighting
from identity.planning.resolution.stored_calls import StoredCall, pack_stamped
from identity.spaces.new_subject_keys import NewSubjectKeys
from identity.store.ingest.write import Writes
from identity.store.postgres import rows
from identity.store.postgres.rows import EvidenceRow
from identity.values.documents import Document
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Stamp
from identity.vault.seal import DOCUMENT, EVENT, EVIDENCE, IDENTIFIER
from identity.vault.subject_keys import SubjectKey


class OriginResealer:
    """Adds the new content of origins to `writes`. Each origin is emptied or created first, then filled."""

    def __init__(self, opened: UnsealedProfiles, new_keys: NewSubjectKeys, writes: Writes) -> None:
        self.opened = opened
        self.space = opened.exclusive.space
        self.writes = writes
        self._new_keys = new_keys

    def finish(self) -> None:
        """Adds the new keys."""
        self.writes.new_slot_key, self.writes.subject_keys = self._new_keys.new_slot_key, self._new_keys.rows

    def lift(self, ids: Iterable[ProfileId]) -> None:
        """Empties these origins; their identifiers go with their rows."""
        lifted = set(ids)
        group = self.space.keys.group
        self.writes.lifted += sorted(lifted)
        self.writes.detached += [
            (row.origin, key) for key, row in self.opened.identifiers.items() if row.origin in lifted
        ]
        for id_ in lifted:
            self.writes.left += [(group(name), id_) for name in self.opened.groups(id_)]

    def subject(self, id_: ProfileId) -> SubjectKey:
        """The new key of an origin."""
        return self._new_keys.get(id_) or self._new_keys.make(id_)

    def identifier(self, id_: ProfileId, key: BlindIndex, value: bytes, row: rows.LinkRow) -> None:
        """Adds an identifier."""
        sealed = self.subject(id_).seal(IDENTIFIER, key[:16], 0, value)
        self.writes.identifiers.append(rows.IdentifierRow(key, id_, *row, sealed))

    def document(self, id_: ProfileId, document: Document) -> None:
        """Adds the traits, consent and memberships of an origin."""
        if document == Document():
            return
        sealed = self.subject(id_).seal(DOCUMENT, id_, 1, fold_documents.pack(document))
        self.writes.new_documents.append(rows.DocumentRow(id_, 1, sealed))
        for name, (member, time, stamp) in document.groups.items():
            self.writes.memberships.append((self.space.keys.group(name), id_, bool(member), time, stamp))

    def evidence(self, id_: ProfileId, row: EvidenceRow, plain: bytes) -> None:
        """Adds a call or a correction, with the identifiers that its row keeps and demotes."""
        payload = self.subject(id_).seal(EVIDENCE, id_, row.stamp, plain)
        self.writes.evidence.append(
            rows.EvidenceRow(
                origin=id_,
                stamp=row.stamp,
                kind=row.kind,
                kept=row.kept,
                demoted=row.demoted,
                payload=payload,
                rules_version=row.rules_version,
            )
        )

    def events(self, id_: ProfileId, calls: list[tuple[Stamp, StoredCall]]) -> None:
        """Adds plain calls that are packed into one row."""
        stamp = calls[0][0]
        payload = self.subject(id_).seal(EVENT, id_, stamp, pack_stamped(calls))
        self.writes.events.append(rows.EventRow(id_, stamp, len(calls), payload))

    def sighting(self, id_: ProfileId, set_key: SetKey, seen: Sighting) -> None:
        """Adds a sighting of a set of identifiers."""
        sources = b"".join(source.to_bytes(4, "big") for source in seen.sources)
        self.writes.new_sightings.append(
            rows.SightingRow(
                origin=id_,
                set_key=set_key,
                seen=seen.seen,
                days=seen.days,
                last_day=seen.last_day,
                first_seen=seen.first_seen,
                last_seen=seen.last_seen,
                sources=sources,
            )
        )

    def history(self, id_: ProfileId, line: rows.HistoryRow) -> None:
        """Adds a line of history."""
        self.writes.history.append(line._replace(origin=id_))
