"""Seals a plan into the rows that the store writes.

Invariant: every new origin and group has a subject key of its own. All new keys of a batch share one key slot, whose
row the transaction locks.
"""

from identity.operations.ingest.unseal import UnsealedBatch
from identity.planning.corrections.waiting_claims import gather_claims
from identity.planning.resolution import fold_documents
from identity.planning.resolution.plan import Plan, RecordedCall
from identity.planning.resolution.planner_state import Profile, Sighting
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import pack, pack_demoted, pack_events
from identity.spaces.new_subject_keys import NewSubjectKeys
from identity.spaces.origin_rows import to_row
from identity.store.ingest.write import Writes
from identity.store.postgres import rows
from identity.store.postgres.space_lock import SpaceLockRow
from identity.values.calls import STORED_KINDS
from identity.values.enums import HistoryKind
from identity.values.ids import ProfileId, SetKey, SubjectId
from identity.vault.seal import DOCUMENT, EVENT, EVIDENCE, GROUP_ID, GROUP_TRAITS, IDENTIFIER
from identity.vault.subject_keys import SubjectKey


class Sealer:
    """Seals one plan. `key_slot` is the number of the slot of new keys, `slot_key` its epoch and wrapped key."""

    def __init__(
        self,
        opened: UnsealedBatch,
        lock_row: SpaceLockRow,
        rules: Rules,
        key_slot: int,
        slot_key: tuple[int, bytes] | None,
    ) -> None:
        self.opened = opened
        self.space = opened.space
        self.writes = Writes()
        self._rules_version = rules.version
        self._new_keys = NewSubjectKeys(self.space, lock_row.epoch, key_slot, slot_key)

    def seal(self, plan: Plan) -> Writes:
        """The rows of a plan."""
        writes, opened = self.writes, self.opened
        writes.new_origins = [self._profile(p, recounted=True) for p in plan.created.values()]
        for id_ in plan.created:
            self._new_keys.make(id_)
        writes.touched = [
            (self._profile(p, recounted=p.id in plan.recounted), opened.rows[p.id].stamp) for p in plan.touched.values()
        ]
        writes.moved = list(plan.moved.items())
        self._identifiers(plan)
        self._documents(plan)
        self._groups(plan)
        self._calls(plan)
        writes.changes = [
            rows.ChangeRow(
                op=change.op, version=change.version, stamp=change.stamp, profile=change.profile, other=change.other
            )
            for change in (*plan.merges, *plan.upserts.values())
        ]
        writes.new_slot_key, writes.subject_keys = self._new_keys.new_slot_key, self._new_keys.rows
        return writes

    def subject(self, id_: SubjectId) -> SubjectKey:
        """The subject key of an origin or a group of the batch."""
        minted = self._new_keys.get(id_)
        return self.opened.subject(id_) if minted is None else minted

    def _profile(self, profile: Profile, *, recounted: bool) -> rows.OriginRow:
        return to_row(profile, self.space.codes, None if recounted else self.opened.rows[profile.id])

    def _identifiers(self, plan: Plan) -> None:
        writes, codes = self.writes, self.space.codes
        for gained in plan.gained:
            identifier = gained.identifier
            value = self.subject(gained.origin).seal(IDENTIFIER, identifier.key[:16], 0, identifier.value.encode())
            writes.identifiers.append(
                rows.IdentifierRow(
                    key=identifier.key,
                    origin=gained.origin,
                    type=codes[identifier.type],
                    retired=gained.retired,
                    source=gained.source,
                    linked_at=gained.linked_at,
                    first_seen=gained.first_seen,
                    last_seen=gained.last_seen,
                    value=value,
                )
            )
        writes.seen = [(origin, key, *times) for (origin, key), times in plan.seen.items()]
        writes.retired = plan.retired
        writes.detached = plan.detached
        for at, sighting in plan.sightings.items():
            row = _sighting(at, sighting)
            (writes.sightings if at in self.opened.sightings else writes.new_sightings).append(row)

    def _documents(self, plan: Plan) -> None:
        for origin, document in plan.documents.items():
            version = self.opened.documents.get(origin, 0) + 1
            sealed = self.subject(origin).seal(DOCUMENT, origin, version, fold_documents.pack(document))
            row = rows.DocumentRow(origin, version, sealed)
            (self.writes.new_documents if version == 1 else self.writes.documents).append(row)

    def _groups(self, plan: Plan) -> None:
        for key, group in plan.groups.items():
            version = self.opened.group_versions.get(key, 0) + 1
            subject = self._new_keys.make(group.id) if version == 1 else self.subject(group.id)
            group_id = subject.seal(GROUP_ID, group.id, 0, group.group_id.encode())
            document = subject.seal(GROUP_TRAITS, group.id, version, fold_documents.pack(group.document))
            row = rows.GroupStateRow(key=key, id=group.id, version=version, group_id=group_id, document=document)
            (self.writes.new_groups if version == 1 else self.writes.groups).append(row)
        self.writes.memberships = [
            (m.group_key, m.origin, m.member, m.time, m.stamp) for m in plan.memberships.values()
        ]

    def _calls(self, plan: Plan) -> None:
        writes, codes = self.writes, self.space.codes
        for record in plan.evidence:
            payload = self.subject(record.origin).seal(EVIDENCE, record.origin, record.stamp, pack(record.call))
            demoted = pack_demoted(record.demoted, codes) if record.demoted else None
            kind = STORED_KINDS.index(record.call.kind)
            row = rows.EvidenceRow(
                origin=record.origin,
                stamp=record.stamp,
                kind=kind,
                kept=b"".join(record.kept),
                demoted=demoted,
                payload=payload,
                rules_version=self._rules_version,
            )
            writes.evidence.append(row)
        if any(row.demoted is not None for row in writes.evidence):
            writes.claims = list(gather_claims(row[:5] for row in writes.evidence))
        packed: dict[ProfileId, list[RecordedCall]] = {}
        for record in plan.events:
            packed.setdefault(record.origin, []).append(record)
        for origin, records in packed.items():
            stamp = records[0].stamp
            plain = pack_events((record.stamp, record.call) for record in records)
            payload = self.subject(origin).seal(EVENT, origin, stamp, plain)
            writes.events.append(rows.EventRow(origin, stamp, len(records), payload))
        seq = 0
        last = -1
        for note in plan.history:
            seq = seq + 1 if note.stamp == last else 0
            last = note.stamp
            keys = (
                pack_demoted(zip(note.keys, note.reasons, strict=True), codes)
                if note.kind == HistoryKind.IDENTIFIERS_DEMOTED
                else b""
            )
            keys = keys or b"".join(note.keys)
            writes.history.append(
                rows.HistoryRow(
                    origin=note.origin,
                    stamp=note.stamp,
                    seq=seq,
                    kind=note.kind,
                    other=note.other,
                    keys=keys,
                    rules_version=self._rules_version,
                )
            )


def _sighting(at: tuple[ProfileId, SetKey], sighting: Sighting) -> rows.SightingRow:
    sources = b"".join(source.to_bytes(4, "big") for source in sighting.sources)
    return rows.SightingRow(
        *at, sighting.seen, sighting.days, sighting.last_day, sighting.first_seen, sighting.last_seen, sources
    )
