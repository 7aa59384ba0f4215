"""Writes what a batch planned, in one pipeline of a few set-based statements, the lane last.

Every update names the state it expects, and every statement the number of rows it must touch. A difference means that
another transaction changed the rows: the batch rolls back and is planned again.
"""

from collections.abc import Sequence
from typing import LiteralString

from msgspec import Struct

from identity.store.ingest import write_statements
from identity.store.ledger.ledger import APPEND
from identity.store.postgres.arrays import (
    bools,
    byteas,
    int2,
    int2s,
    int4,
    int4s,
    int8,
    int8s,
    int8s_or_null,
    uuids,
    uuids_or_null,
)
from identity.store.postgres.pipeline import Param, PipelineConnection, Statement, run
from identity.store.postgres.rows import (
    ChangeRow,
    DocumentRow,
    EventRow,
    EvidenceRow,
    GroupStateRow,
    HistoryRow,
    IdentifierRow,
    OriginRow,
    RejectionRow,
    SightingRow,
    SubjectKeyRow,
)
from identity.store.postgres.space_lock import RAISE_STAMP
from identity.store.postgres.tenant import Tenant
from identity.values.errors import Conflict
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp


class Writes(Struct):
    """The rows of one batch of one space, or of one correction.

    `claims` are (key, origin, id, first and last call, how many, when refused), as the evidence has them.

    `touched` origins have the stamp from when they were locked. `moved` are (root that was merged away, its new
    root), `seen` (origin, key, first and last event time), `retired` and `unretired` (origin, key). `new_slot_key`
    is (number of the key slot, epoch, wrapped). `lock_stamp` is the new stamp of the space lock, held exclusively
    then, and `marks` its new marks.

    `lifted` are origins whose documents, sightings, calls, history and key are deleted first and written again under
    another key. `detached` (origin, key), `left` (group, origin) and `unseen` (origin, set) are identifiers,
    memberships and sightings to delete. `cuts` are (key, cut, side), `forgotten` (key, stamp), `suppressed` (hash,
    for good or only up to a time, that time). `inherits` are (origin, twin): disclosures of the origin count for the
    twin.
    """

    lock_stamp: Stamp = Stamp(0)
    marks: int = 0
    lifted: list[ProfileId] = []
    detached: list[tuple[ProfileId, BlindIndex]] = []
    new_origins: list[OriginRow] = []
    touched: list[tuple[OriginRow, int]] = []
    moved: list[tuple[ProfileId, ProfileId]] = []
    identifiers: list[IdentifierRow] = []
    seen: list[tuple[ProfileId, BlindIndex, Micros, Micros]] = []
    retired: list[tuple[ProfileId, BlindIndex]] = []
    unretired: list[tuple[ProfileId, BlindIndex]] = []
    unseen: list[tuple[ProfileId, SetKey]] = []
    cuts: list[tuple[BlindIndex, bytes, int]] = []
    blocked: list[BlindIndex] = []
    forgotten: list[tuple[BlindIndex, Stamp]] = []
    suppressed: list[tuple[bytes, bool, Micros | None]] = []
    new_slot_key: tuple[int, int, bytes] | None = None
    subject_keys: list[SubjectKeyRow] = []
    new_documents: list[DocumentRow] = []
    documents: list[DocumentRow] = []
    new_sightings: list[SightingRow] = []
    sightings: list[SightingRow] = []
    new_groups: list[GroupStateRow] = []
    groups: list[GroupStateRow] = []
    left: list[tuple[bytes, ProfileId]] = []
    memberships: list[tuple[bytes, ProfileId, bool, Micros, Stamp]] = []
    evidence: list[EvidenceRow] = []
    claims: list[tuple[BlindIndex, ProfileId, bytes, Stamp, Stamp, int, Stamp | None]] = []
    events: list[EventRow] = []
    history: list[HistoryRow] = []
    unclaimed_message_keys: list[bytes] = []
    ledger: list[tuple[Micros, bytes]] = []
    rejection: RejectionRow | None = None
    lane: int = 0
    changes: list[ChangeRow] = []
    inherits: list[tuple[ProfileId, ProfileId]] = []


async def apply(connection: PipelineConnection, tenant: Tenant, writes: Writes) -> None:
    """Send the statements. Conflict where one touched another number of rows than it must."""
    steps = _steps(tenant, writes)
    results = await run(connection, *steps.all)
    if any(count not in (None, result.touched) for count, result in zip(steps.counts, results, strict=True)):
        raise Conflict


class _Steps:
    """The statements of a batch in the order of locks; each has the space as its first parameter."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.all: list[Statement] = []
        self.counts: list[int | None] = []

    def add(self, query: LiteralString, count: int | None, *params: Param) -> None:
        """Add a statement that must touch `count` rows (None: any number)."""
        self.all.append(Statement(query, [int4(self.tenant.id), *params]))
        self.counts.append(count)


def _steps(tenant: Tenant, w: Writes) -> _Steps:
    steps = _Steps(tenant)
    if w.lock_stamp:
        steps.add(RAISE_STAMP, None, int8(w.lock_stamp), int2(w.marks))
    if w.lifted:
        for statement in write_statements.DELETE_ORIGIN_CONTENT:
            steps.add(statement, None, uuids(w.lifted), tenant.buckets(w.lifted))
    if w.new_origins:
        ids = [row.id for row in w.new_origins]
        steps.add(
            write_statements.INSERT_PROFILES, len(ids), uuids(ids), tenant.buckets(ids), *_profiles(w.new_origins)
        )
    if w.moved:
        roots, new_roots = zip(*w.moved, strict=True)
        steps.add(write_statements.MOVE_ORIGINS, None, uuids(roots), uuids(new_roots), int4(tenant.base))
    if w.touched:
        rows = [row for row, _ in w.touched]
        ids = [row.id for row in rows]
        expected = int8s([stamp for _, stamp in w.touched])
        steps.add(
            write_statements.UPDATE_PROFILES, len(ids), uuids(ids), tenant.buckets(ids), *_profiles(rows), expected
        )
    _identifiers(steps, w)
    _sightings(steps, w)
    _sealed(steps, w)
    _groups(steps, w)
    _calls(steps, w)
    for moment, entry in w.ledger:
        steps.add(APPEND, 1, int8(moment), entry)
    if w.changes:
        op, version, at, profile, other = zip(*w.changes, strict=True)
        columns = (int2s(op), int8s(version), int8s(at), uuids(profile), uuids_or_null(other))
        steps.add(write_statements.INSERT_CHANGES, len(op), int2(w.lane), int4(tenant.base), int8(len(op)), *columns)
    return steps


def _profiles(rows: Sequence[OriginRow]) -> tuple[Param, ...]:
    _, version, stamp, created, oldest_birth, events, joined_at, root, canonical, joined_to, own, folded = zip(
        *rows, strict=True
    )
    return (
        int8s(version),
        int8s(stamp),
        int8s(created),
        int8s(oldest_birth),
        int8s(events),
        int8s_or_null(joined_at),
        uuids(root),
        uuids(canonical),
        uuids_or_null(joined_to),
        byteas(own),
        byteas(folded),
    )


def _identifiers(steps: _Steps, w: Writes) -> None:
    buckets = steps.tenant.buckets
    if w.detached:
        origin, key = zip(*w.detached, strict=True)
        steps.add(write_statements.DELETE_IDENTIFIERS, len(key), byteas(key), buckets(key))
        steps.add(write_statements.DELETE_PROFILE_IDENTIFIERS, len(key), uuids(origin), byteas(key), buckets(origin))
    if w.identifiers:
        # Sorted, so that two batches that link the same identifiers never wait for each other.
        key, origin, type_, retired, source, linked, first, last, value = zip(*sorted(w.identifiers), strict=True)
        steps.add(write_statements.INSERT_IDENTIFIERS, len(key), byteas(key), buckets(key), uuids(origin))
        columns = (int2s(type_), bools(retired), int4s(source), int8s(linked), int8s(first), int8s(last), byteas(value))
        steps.add(
            write_statements.INSERT_PROFILE_IDENTIFIERS, len(key), uuids(origin), byteas(key), buckets(origin), *columns
        )
    if w.seen:
        origin, key, first, last = zip(*w.seen, strict=True)
        times = int8s(first), int8s(last)
        steps.add(write_statements.UPDATE_SEEN, None, uuids(origin), byteas(key), buckets(origin), *times)
    if w.retired:
        origin, key = zip(*w.retired, strict=True)
        steps.add(write_statements.RETIRE, len(key), uuids(origin), byteas(key), buckets(origin))
    if w.unretired:
        origin, key = zip(*w.unretired, strict=True)
        steps.add(write_statements.UNRETIRE, len(key), uuids(origin), byteas(key), buckets(origin))
    _marks(steps, w)


def _marks(steps: _Steps, w: Writes) -> None:
    buckets = steps.tenant.buckets
    if w.cuts:
        key, cut, side = zip(*w.cuts, strict=True)
        steps.add(write_statements.INSERT_CUTS, len(key), byteas(key), buckets(key), uuids(cut), int2s(side))
    if w.blocked:
        steps.add(write_statements.BLOCK, None, byteas(w.blocked), buckets(w.blocked))
    if w.forgotten:
        key, until = zip(*w.forgotten, strict=True)
        steps.add(write_statements.FORGET, None, byteas(key), buckets(key), int8s(until))
    if w.suppressed:
        hash_, for_good, until = zip(*w.suppressed, strict=True)
        steps.add(write_statements.SUPPRESS, None, byteas(hash_), buckets(hash_), bools(for_good), int8s_or_null(until))


def _sightings(steps: _Steps, w: Writes) -> None:
    if w.unseen:
        origin, set_key = zip(*w.unseen, strict=True)
        steps.add(write_statements.DELETE_SIGHTINGS, None, uuids(origin), uuids(set_key), steps.tenant.buckets(origin))
    for rows, query in (
        (w.new_sightings, write_statements.INSERT_SIGHTINGS),
        (w.sightings, write_statements.UPDATE_SIGHTINGS),
    ):
        if rows:
            origin, set_key, seen, days, last_day, first_seen, last_seen, sources = zip(*rows, strict=True)
            columns = (int4s(seen), int4s(days), int4s(last_day), int8s(first_seen), int8s(last_seen), byteas(sources))
            steps.add(query, len(origin), uuids(origin), uuids(set_key), steps.tenant.buckets(origin), *columns)


def _sealed(steps: _Steps, w: Writes) -> None:
    buckets = steps.tenant.buckets
    if w.new_slot_key is not None:
        slot, epoch, wrapped = w.new_slot_key
        steps.add(write_statements.INSERT_SLOT, 1, int2(slot), int4(steps.tenant.base), int4(epoch), wrapped)
    if w.subject_keys:
        ids, slots, key_ids, wrapped_keys = zip(*w.subject_keys, strict=True)
        columns = (uuids(ids), buckets(ids), int2s(slots), uuids(key_ids), byteas(wrapped_keys))
        steps.add(write_statements.INSERT_SUBJECT_KEYS, len(ids), *columns)
    for rows, query in (
        (w.new_documents, write_statements.INSERT_DOCUMENTS),
        (w.documents, write_statements.UPDATE_DOCUMENTS),
    ):
        if rows:
            origin, version, document = zip(*rows, strict=True)
            steps.add(query, len(origin), uuids(origin), buckets(origin), int4s(version), byteas(document))


def _groups(steps: _Steps, w: Writes) -> None:
    buckets = steps.tenant.buckets
    for rows, query in (
        (w.new_groups, write_statements.INSERT_GROUPS),
        (w.groups, write_statements.UPDATE_GROUPS),
    ):
        if rows:
            key, id_, version, group_id, document = zip(*sorted(rows), strict=True)
            columns = (byteas(key), buckets(key), uuids(id_), int4s(version), byteas(group_id), byteas(document))
            steps.add(query, len(key), *columns)
    if w.left:
        group, origin = zip(*w.left, strict=True)
        steps.add(write_statements.DELETE_MEMBERSHIPS, None, byteas(group), uuids(origin), buckets(group))
    if w.memberships:
        group, origin, member, time, stamp = zip(*sorted(w.memberships), strict=True)
        latest = (bools(member), int8s(time), int8s(stamp))
        steps.add(write_statements.PUT_MEMBERSHIPS, None, byteas(group), uuids(origin), buckets(group), *latest)


def _calls(steps: _Steps, w: Writes) -> None:
    buckets = steps.tenant.buckets
    if w.evidence:
        origin, stamp, kind, kept, demoted, payload, rules = zip(*w.evidence, strict=True)
        taught = (int2s(kind), byteas(kept), byteas(demoted), byteas(payload), int4s(rules))
        steps.add(write_statements.INSERT_EVIDENCE, len(origin), uuids(origin), int8s(stamp), buckets(origin), *taught)
    if w.claims:
        key, origin, id_, since, last, times, refused = zip(*sorted(w.claims, key=lambda row: row[:2]), strict=True)
        seen = (int8s(since), int8s(last), int8s(times), int8s_or_null(refused))
        steps.add(write_statements.PUT_CLAIMS, len(key), byteas(key), uuids(origin), buckets(origin), uuids(id_), *seen)
    if w.events:
        origin, stamp, calls, payload = zip(*w.events, strict=True)
        plain = (uuids(origin), int8s(stamp), buckets(origin), int2s(calls), byteas(payload))
        steps.add(write_statements.INSERT_EVENTS, len(origin), *plain)
    if w.history:
        origin, stamp, seq, kind, other, named, rules, source = zip(*w.history, strict=True)
        columns = (int2s(seq), int2s(kind), uuids_or_null(other), byteas(named), int4s(rules), int8s_or_null(source))
        steps.add(write_statements.INSERT_HISTORY, len(origin), uuids(origin), int8s(stamp), buckets(origin), *columns)
    if w.unclaimed_message_keys:
        keys = w.unclaimed_message_keys
        steps.add(write_statements.DELETE_MESSAGES, len(keys), uuids(keys), buckets(keys))
    if w.rejection is not None:
        row = w.rejection
        steps.add(
            write_statements.INSERT_REJECTION, 1, int8(row.stamp), int4(steps.tenant.base), int2(row.calls), row.payload
        )
