"""Seals the plan of an unmerge into rows, and the record that every correction leaves in the evidence."""

from identity.operations.corrections.reseal_origin import OriginResealer
from identity.operations.corrections.unseal_profiles import UnsealedProfiles
from identity.planning.corrections.unmerge import OriginSplit, UnmergePlan
from identity.planning.resolution.plan import FeedChange, HistoryNote
from identity.planning.resolution.stored_calls import StoredCall
from identity.planning.resolution.stored_calls import pack_stored as pack
from identity.spaces.new_subject_keys import NewSubjectKeys
from identity.spaces.origin_rows import to_row
from identity.store.ingest.write import Writes
from identity.store.postgres import rows
from identity.values.calls import STORED_KINDS, Kind, Source
from identity.values.enums import SpaceMark
from identity.values.ids import BlindIndex, ProfileId
from identity.values.json import JsonObject
from identity.values.stamps import Micros, Stamp
from identity.vault.seal import EVIDENCE
from identity.vault.subject_keys import SubjectKey


def act_record(kind: Kind, source: Source, at: Micros, body: JsonObject) -> StoredCall:
    """A correction in the form of a stored call."""
    return StoredCall(
        kind=STORED_KINDS.index(kind),
        message_id="",
        time=at,
        received=at,
        source=source.key_number,
        server=source.server,
        body=body,
    )


def seal_unmerge(
    opened: UnsealedProfiles, plan: UnmergePlan, new_keys: NewSubjectKeys, record: StoredCall, lane: int
) -> Writes:
    """The rows of an unmerge; `record` becomes evidence of the profile that stays."""
    exclusive = opened.exclusive
    codes, rules = exclusive.space.codes, exclusive.rules.version
    writes = Writes(lock_stamp=plan.stamp, lane=lane)
    twins = {split.twin for split in plan.splits}
    for id_, profile in plan.profiles.items():
        row = to_row(profile, codes)
        if id_ in twins:
            writes.new_origins.append(row)
        else:
            writes.touched.append((row, opened.rows[id_].stamp))
    resealer = OriginResealer(opened, new_keys, writes)
    for split in plan.splits:
        _divide(opened, plan, split, resealer)
    writes.inherits = [(split.origin, split.twin) for split in plan.splits]
    lifted = set(writes.lifted)
    for key, link in plan.links.items():
        before = opened.identifiers[key]
        if before.origin not in lifted and before.retired and not link.retired:
            writes.unretired.append((link.origin, key))
    if plan.cut is not None:
        writes.cuts = [(key, plan.cut, side) for key, side in plan.sides]
        writes.marks = SpaceMark.CUTS
    subject = new_keys.get(plan.staying.id) or opened.subjects[plan.staying.id]
    seal_act(writes, subject, plan.staying.id, plan.stamp, plan.named, record, rules)
    writes.history += history(plan.notes, rules, record.source)
    writes.changes = changes(plan.changes)
    writes.new_slot_key, writes.subject_keys = new_keys.new_slot_key, new_keys.rows
    return writes


def seal_act(
    writes: Writes,
    subject: SubjectKey,
    origin: ProfileId,
    stamp: Stamp,
    named: list[BlindIndex],
    record: StoredCall,
    rules: int,
) -> None:
    """Adds a correction to the evidence of an origin."""
    payload = subject.seal(EVIDENCE, origin, stamp, pack(record))
    writes.evidence.append(
        rows.EvidenceRow(
            origin=origin,
            stamp=stamp,
            kind=record.kind,
            kept=b"".join(named),
            demoted=None,
            payload=payload,
            rules_version=rules,
        )
    )


def history(notes: list[HistoryNote], rules: int, source: int) -> list[rows.HistoryRow]:
    """The lines of history of a correction, at most one for each profile."""
    return [
        rows.HistoryRow(
            origin=n.origin,
            stamp=n.stamp,
            seq=0,
            kind=n.kind,
            other=n.other,
            keys=b"".join(n.keys),
            rules_version=rules,
            source=source,
        )
        for n in notes
    ]


def changes(made: list[FeedChange]) -> list[rows.ChangeRow]:
    """The rows of the change feed."""
    return [rows.ChangeRow(op=c.op, version=c.version, stamp=c.stamp, profile=c.profile, other=c.other) for c in made]


def _divide(opened: UnsealedProfiles, plan: UnmergePlan, split: OriginSplit, resealer: OriginResealer) -> None:
    """Seals everything of a split origin again, for the origin and for its twin."""
    origin, twin = split.origin, split.twin
    resealer.lift([origin])
    for id_ in (origin, twin):
        resealer.subject(id_)
    for key, row in opened.identifiers.items():
        if row.origin == origin:
            link = plan.links.get(key) or opened.snapshot.links[key]
            again = rows.LinkRow(
                type=row.type,
                retired=link.retired,
                source=row.source,
                linked_at=row.linked_at,
                first_seen=row.first_seen,
                last_seen=row.last_seen,
            )
            resealer.identifier(link.origin, key, opened.value(key), again)
    resealer.document(origin, split.staying)
    resealer.document(twin, split.leaving)
    for call_row, plain in opened.evidence.get(origin, ()):
        resealer.evidence(twin if call_row.stamp in split.evidence else origin, call_row, plain)
    packed: dict[tuple[ProfileId, Stamp], list[tuple[Stamp, StoredCall]]] = {}
    for row_stamp, stamp, call in opened.events.get(origin, ()):
        packed.setdefault((twin if stamp in split.events else origin, row_stamp), []).append((stamp, call))
    for (id_, _), calls in packed.items():
        resealer.events(id_, calls)
    for set_key, seen in opened.snapshot.contents[origin].sightings.items():
        resealer.sighting(twin if set_key in split.sightings else origin, set_key, seen)
    for line in opened.history.get(origin, ()):
        resealer.history(twin if line.stamp in split.evidence else origin, line)
