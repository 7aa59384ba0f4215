"""Writes what a batch planned, in one pipeline of a few set-based statements, the lane last.

Every update names what it expects to find and every statement the number of rows it must touch;
a difference means the ground moved, and the whole batch is rolled back and planned again.
"""

from collections.abc import Sequence
from typing import Any, LiteralString

from msgspec import Struct

from identity.errors import Conflict
from identity.store import statements as sql
from identity.store.arrays import bools, byteas, int2s, int4s, int8s, int8s_or_null, uuids, uuids_or_null
from identity.store.database import Connection
from identity.store.rows import (
    AccountRow,
    ChangeRow,
    DocumentRow,
    EventRow,
    EvidenceRow,
    HistoryRow,
    IdentifierRow,
    ProfileRow,
    SightingRow,
    SubjectKeyRow,
)
from identity.store.tenant import Tenant


class Writes(Struct):
    """The rows of one batch of one space.

    `touched` profiles come with the stamp they had when they were locked; `moved` are (head that
    was merged away, head it now points to); `seen` (origin, key, last seen); `retired` (origin,
    key); `slot` a slot key to create: (slot, epoch, wrapped).
    """

    rules_version: int
    born: list[ProfileRow] = []
    touched: list[tuple[ProfileRow, int]] = []
    moved: list[tuple[bytes, bytes]] = []
    identifiers: list[IdentifierRow] = []
    seen: list[tuple[bytes, bytes, int]] = []
    retired: list[tuple[bytes, bytes]] = []
    slot: tuple[int, int, bytes] | None = None
    subject_keys: list[SubjectKeyRow] = []
    new_documents: list[DocumentRow] = []
    documents: list[DocumentRow] = []
    new_sightings: list[SightingRow] = []
    sightings: list[SightingRow] = []
    new_accounts: list[AccountRow] = []
    accounts: list[AccountRow] = []
    memberships: list[tuple[bytes, bytes]] = []
    evidence: list[EvidenceRow] = []
    events: list[EventRow] = []
    history: list[HistoryRow] = []
    unclaimed: list[bytes] = []
    audit: list[tuple[str, str, str]] = []
    lane: int = 0
    changes: list[ChangeRow] = []


async def apply(connection: Connection, tenant: Tenant, writes: Writes) -> None:
    """Sends the statements; raises Conflict if any touched another number of rows than it must."""
    steps = _steps(tenant, writes)
    ran = []
    async with connection.pipeline():
        for query, params, count in steps:
            cursor = connection.cursor()
            await cursor.execute(query, params, prepare=True)
            ran.append((cursor, count))
    if any(count is not None and cursor.rowcount != count for cursor, count in ran):
        raise Conflict


async def commit(connection: Connection) -> None:
    """Makes it durable. An error here leaves open whether it is."""
    await connection.execute("COMMIT")


async def rollback(connection: Connection) -> None:
    """Gives the batch up."""
    await connection.execute("ROLLBACK")


_Step = tuple[LiteralString, Sequence[Any], int | None]


def _steps(tenant: Tenant, w: Writes) -> list[_Step]:
    """The statements of a batch in the order of locks, those without rows left out."""
    id_ = tenant.id
    steps: list[_Step] = []
    if w.born:
        ids = [row.id for row in w.born]
        steps.append((sql.INSERT_PROFILES, (id_, uuids(ids), tenant.buckets(ids), *_profiles(w.born)), len(ids)))
    if w.moved:
        heads, to = [head for head, _ in w.moved], [head for _, head in w.moved]
        steps.append((sql.MOVE_ORIGINS, (id_, uuids(heads), uuids(to), tenant.base), None))
    if w.touched:
        rows = [row for row, _ in w.touched]
        ids = [row.id for row in rows]
        expected = int8s([stamp for _, stamp in w.touched])
        params = (id_, uuids(ids), tenant.buckets(ids), *_profiles(rows), expected)
        steps.append((sql.UPDATE_PROFILES, params, len(ids)))
    steps += _identifier_steps(tenant, w)
    steps += _sealed_steps(tenant, w)
    steps += _call_steps(tenant, w)
    if w.changes:
        op, version, at, profile, other = zip(*w.changes, strict=True)
        params = (id_, w.lane, tenant.base, len(op), int2s(op), int8s(version), int8s(at))
        steps.append((sql.INSERT_CHANGES, (*params, uuids(profile), uuids_or_null(other)), len(op)))
    return steps


def _profiles(rows: Sequence[ProfileRow]) -> tuple[Any, ...]:
    _, version, stamp, born, elder, events, joined_at, head, canonical, joined_to, own, folded = zip(*rows, strict=True)
    return (
        int8s(version),
        int8s(stamp),
        int8s(born),
        int8s(elder),
        int8s(events),
        int8s_or_null(joined_at),
        uuids(head),
        uuids(canonical),
        uuids_or_null(joined_to),
        byteas(own),
        byteas(folded),
    )


def _identifier_steps(tenant: Tenant, w: Writes) -> list[_Step]:
    steps: list[_Step] = []
    if w.identifiers:
        key, origin, type_, retired, source, linked, first, last, value = zip(
            *sorted(w.identifiers, key=lambda row: row.key), strict=True
        )
        steps.append(
            (sql.INSERT_IDENTIFIERS, (tenant.id, byteas(key), tenant.buckets(key), uuids(origin)), len(key))
        )
        columns = (int2s(type_), bools(retired), int4s(source), int8s(linked), int8s(first), int8s(last), byteas(value))
        params = (tenant.id, uuids(origin), byteas(key), tenant.buckets(origin), *columns)
        steps.append((sql.INSERT_PROFILE_IDENTIFIERS, params, len(key)))
    if w.seen:
        origin, key, last = zip(*w.seen, strict=True)
        params = (tenant.id, uuids(origin), byteas(key), tenant.buckets(origin), int8s(last))
        steps.append((sql.UPDATE_SEEN, params, None))
    if w.retired:
        origin, key = zip(*w.retired, strict=True)
        params = (tenant.id, uuids(origin), byteas(key), tenant.buckets(origin))
        steps.append((sql.RETIRE, params, len(key)))
    for rows, query in ((w.new_sightings, sql.INSERT_SIGHTINGS), (w.sightings, sql.UPDATE_SIGHTINGS)):
        if rows:
            origin, set_key, count, days, last_day, sources = zip(*rows, strict=True)
            columns = (int4s(count), int4s(days), int4s(last_day), byteas(sources))
            params = (tenant.id, uuids(origin), uuids(set_key), tenant.buckets(origin), *columns)
            steps.append((query, params, len(origin)))
    return steps


def _sealed_steps(tenant: Tenant, w: Writes) -> list[_Step]:
    steps: list[_Step] = []
    if w.slot is not None:
        slot, epoch, wrapped = w.slot
        steps.append((sql.INSERT_SLOT, (tenant.id, slot, tenant.base, epoch, wrapped), 1))
    if w.subject_keys:
        ids, slots, key_ids, wrapped_keys = zip(*w.subject_keys, strict=True)
        params = (tenant.id, uuids(ids), tenant.buckets(ids), int2s(slots), uuids(key_ids), byteas(wrapped_keys))
        steps.append((sql.INSERT_SUBJECT_KEYS, params, len(ids)))
    for documents, query in ((w.new_documents, sql.INSERT_DOCUMENTS), (w.documents, sql.UPDATE_DOCUMENTS)):
        if documents:
            origin, version, document = zip(*documents, strict=True)
            params = (tenant.id, uuids(origin), tenant.buckets(origin), int4s(version), byteas(document))
            steps.append((query, params, len(origin)))
    for accounts, query in ((w.new_accounts, sql.INSERT_ACCOUNTS), (w.accounts, sql.UPDATE_ACCOUNTS)):
        if accounts:
            key, account, version, group, document = zip(*sorted(accounts), strict=True)
            columns = (uuids(account), int4s(version), byteas(group), byteas(document))
            steps.append((query, (tenant.id, byteas(key), tenant.buckets(key), *columns), len(key)))
    if w.memberships:
        group, origin = zip(*sorted(w.memberships), strict=True)
        params = (tenant.id, byteas(group), uuids(origin), tenant.buckets(group))
        steps.append((sql.INSERT_MEMBERSHIPS, params, None))
    return steps


def _call_steps(tenant: Tenant, w: Writes) -> list[_Step]:
    steps: list[_Step] = []
    if w.evidence:
        origin, stamp, kind, kept, demoted, payload = zip(*w.evidence, strict=True)
        columns = (int2s(kind), byteas(kept), byteas(demoted), byteas(payload), w.rules_version)
        params = (tenant.id, uuids(origin), int8s(stamp), tenant.buckets(origin), *columns)
        steps.append((sql.INSERT_EVIDENCE, params, len(origin)))
    if w.events:
        origin, stamp, calls, payload = zip(*w.events, strict=True)
        params = (tenant.id, uuids(origin), int8s(stamp), tenant.buckets(origin), int2s(calls), byteas(payload))
        steps.append((sql.INSERT_EVENTS, params, len(origin)))
    if w.history:
        profile, stamp, seq, kind, other, keys = zip(*w.history, strict=True)
        columns = (int2s(seq), int2s(kind), uuids_or_null(other), byteas(keys), w.rules_version)
        params = (tenant.id, uuids(profile), int8s(stamp), tenant.buckets(profile), *columns)
        steps.append((sql.INSERT_HISTORY, params, len(profile)))
    if w.unclaimed:
        params = (tenant.id, uuids(w.unclaimed), tenant.buckets(w.unclaimed))
        steps.append((sql.DELETE_MESSAGES, params, len(w.unclaimed)))
    steps += [(sql.INSERT_AUDIT, (tenant.id, *entry), 1) for entry in w.audit]
    return steps
