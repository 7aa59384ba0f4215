"""Loads and locks what a batch of one space is about, in two round trips.

All writers lock in one order. `begin`: advisory lock, space lock, writer slot, message ids. `lock`: roots of profiles,
groups, key slot, each sorted. Then come the writes (`write`), the lane last. docs/architecture.md has the whole table.

`lock` takes the locks and reads what they protect in separate statements. A statement sees the database as it was when
the statement began: one that first waited for a lock would read the other rows as they were before the wait.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from psycopg.rows import TupleRow

from identity.store.ingest import load_statements
from identity.store.ingest.constraints import BLOCKED, CUTS, SUPPRESSED
from identity.store.ingest.identifier_owners import OWNERS
from identity.store.postgres.arrays import bools, byteas, int2, int4, int8, int8s, uuids
from identity.store.postgres.pipeline import Param, PipelineConnection, Statement, run
from identity.store.postgres.rows import GroupStateRow, KeyRow, OriginRow, SightingRow
from identity.store.postgres.space_lock import FAIR_EXCLUSIVE, FAIR_SHARED, LOCK_EXCLUSIVE, LOCK_SHARED, SpaceLockRow
from identity.store.postgres.tenant import Tenant
from identity.store.postgres.writer_slots import LOCK_LEASE, WriterLease
from identity.values.enums import SpaceMark
from identity.values.errors import Conflict, LeaseLost, SpaceNotFound
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Stamp


class BatchClaim(NamedTuple):
    """The first round trip: the state of the space, the messages that are new, and identifier -> origin."""

    lock_row: SpaceLockRow
    new_message_keys: set[bytes]
    owners: dict[BlindIndex, ProfileId]


class LockedRows(NamedTuple):
    """The second round trip: the locked profiles and the rows that belong to them.

    `slot_key` is the epoch and the wrapped key of a key slot.
    """

    profiles: list[OriginRow]
    keys: list[KeyRow]
    sightings: list[SightingRow]
    groups: list[GroupStateRow]
    slot_key: tuple[int, bytes] | None


async def begin(
    connection: PipelineConnection,
    tenant: Tenant,
    messages: Sequence[bytes],
    keys: Sequence[BlindIndex],
    batch_stamp: Stamp,
    lease: WriterLease,
    *,
    exclusive: bool,
) -> BatchClaim:
    """Begin the transaction: take the space lock, claim the messages, find the origins.

    `exclusive` takes the lock exclusively: no other batch of the space commits until this one ends.
    """
    messages, keys = sorted(messages), sorted(keys)
    space = int4(tenant.id)
    _, _, lock_rows, leases, fresh, owners = await run(
        connection,
        Statement("BEGIN"),
        Statement(FAIR_EXCLUSIVE if exclusive else FAIR_SHARED, [space]),
        Statement(LOCK_EXCLUSIVE if exclusive else LOCK_SHARED, [space]),
        Statement(LOCK_LEASE, [int2(lease.slot), lease.holder]),
        Statement(load_statements.DEDUP, [space, uuids(messages), tenant.buckets(messages), int8(batch_stamp)]),
        Statement(OWNERS, [space, byteas(keys), tenant.buckets(keys)]),
    )
    if not lock_rows.rows:
        raise SpaceNotFound
    if not leases.rows:
        raise LeaseLost
    return BatchClaim(SpaceLockRow(*lock_rows.rows[0]), {key for (key,) in fresh.rows}, dict(owners.rows))


async def lock(
    connection: PipelineConnection,
    tenant: Tenant,
    origins: Collection[ProfileId],
    documents: set[ProfileId],
    sets: Sequence[tuple[ProfileId, SetKey]],
    groups: Sequence[bytes],
    key_slot: int | None,
) -> LockedRows:
    """Lock the roots of these origins and read the rows under the locks.

    `documents` are the origins whose document is needed, `sets` the (origin, set) pairs to look for, `key_slot` the
    number of the slot for new subject keys (`slot_key` of the result is None where it has no key yet). Conflict where
    an origin was merged while its lock was awaited.
    """
    origins = sorted(origins)
    groups = sorted(groups)
    space, base = int4(tenant.id), int4(tenant.base)
    by_origin, set_keys = [origin for origin, _ in sets], [set_key for _, set_key in sets]
    steps: list[Statement] = [
        Statement(load_statements.ROOTS, [space, uuids(origins), base]),
        Statement(
            load_statements.KEYS,
            [space, uuids(origins), tenant.buckets(origins), bools([id_ in documents for id_ in origins]), base],
        ),
        Statement(load_statements.SIGHTINGS, [space, uuids(by_origin), uuids(set_keys), tenant.buckets(by_origin)]),
    ]
    if groups:
        named: list[Param] = [space, byteas(groups), tenant.buckets(groups)]
        steps += [Statement(load_statements.GROUPS, named), Statement(load_statements.GROUP_KEYS, [*named, base])]
    if key_slot is not None:
        steps.append(Statement(load_statements.SLOT, [space, int2(key_slot), base]))
    roots, keys, sightings, *rest = await run(connection, *steps)
    found_groups, group_keys = (rest[0].rows, rest[1].rows) if groups else ([], [])
    slot_keys = [] if key_slot is None else rest[-1].rows

    profiles = [OriginRow(*row) for row in roots.rows]
    locked = {row.id for row in profiles if row.root == row.id}
    merged = [origin for origin in origins if origin not in locked]
    if merged:
        (found,) = await run(connection, Statement(load_statements.ORIGINS, [space, uuids(merged), base]))
        merged_rows = [OriginRow(*row) for row in found.rows]
        if len(merged_rows) != len(merged) or any(row.root not in locked for row in merged_rows):
            raise Conflict
        profiles = [row for row in profiles if row.id in locked] + merged_rows
    return LockedRows(
        profiles=profiles,
        keys=[KeyRow(*row) for row in (*keys.rows, *group_keys)],
        sightings=[SightingRow(*row) for row in sightings.rows],
        groups=[GroupStateRow(*row) for row in found_groups],
        slot_key=(slot_keys[0][0], slot_keys[0][1]) if slot_keys else None,
    )


async def accepted_messages(connection: PipelineConnection, tenant: Tenant, messages: Sequence[bytes]) -> set[bytes]:
    """Which of these messages were accepted earlier, by keys under which nothing is claimed any more."""
    (found,) = await run(
        connection, Statement(load_statements.SEEN, [int4(tenant.id), uuids(messages), tenant.buckets(messages)])
    )
    return {bytes(key) for (key,) in found.rows}


async def committed_batch(
    connection: PipelineConnection, tenant: Tenant, messages: Sequence[bytes], batch_stamps: Sequence[Stamp]
) -> Stamp | None:
    """Which of these stamps names a committed batch: the rows name their batch even where the answer was lost."""
    space, base = int4(tenant.id), int4(tenant.base)
    params: list[Param] = [space, uuids(messages), tenant.buckets(messages), int8s(batch_stamps), base]
    (found,) = await run(connection, Statement(load_statements.BATCH, params))
    return Stamp(found.rows[0][0]) if found.rows else None


async def constraints(
    connection: PipelineConnection,
    tenant: Tenant,
    lock_row: SpaceLockRow,
    suppressions: Sequence[bytes],
    keys: Sequence[BlindIndex],
) -> tuple[list[tuple[bytes, bool, int | None]], set[BlindIndex], list[tuple[BlindIndex, bytes, int]]]:
    """The constraints on a batch: (hash, for good, until) of suppressions, blocked identifiers, (key, cut, side).

    Queries only tables that the marks of the space name; the lock keeps the marks true.
    """
    found = []
    for mark, query, sought in (
        (SpaceMark.SUPPRESSED, SUPPRESSED, suppressions),
        (SpaceMark.BLOCKED, BLOCKED, keys),
        (SpaceMark.CUTS, CUTS, keys),
    ):
        rows: list[TupleRow] = []
        if lock_row.marks & mark:
            (marked,) = await run(
                connection, Statement(query, [int4(tenant.id), byteas(sought), tenant.buckets(sought)])
            )
            rows = marked.rows
        found.append(rows)
    suppressed = [(hash_, for_good, until) for hash_, for_good, until in found[0]]
    return suppressed, {key for (key,) in found[1]}, [(k, cut, side) for k, cut, side in found[2]]


async def scan_windows(
    connection: PipelineConnection, tenant: Tenant, scans: Sequence[tuple[ProfileId, int, int]]
) -> list[tuple[ProfileId, int, BlindIndex, int]]:
    """The newest identifiers of a type, for roots whose window has to be built.

    `scans` are (root, type, how many); rows are (root, type, key, last seen).
    """
    found = []
    for root, type_, size in scans:
        params = [int4(tenant.id), root, int2(type_), int4(size), int4(tenant.base)]
        (scanned,) = await run(connection, Statement(load_statements.WINDOW, params))
        found += [(root, type_, key, seen) for key, seen in scanned.rows]
    return found
