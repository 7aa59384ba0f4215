"""Erasures as rows: one identifier of a request each, and what became of it.

A row names its person by keyed hashes only, and outlives what it erased.
"""

from collections.abc import Collection, Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import Uuid, byteas, int2s, int4s, uuids
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.predicates import erasure_waiting
from identity.store.postgres.tenant import Tenant
from identity.store.privacy.requests import RequestRow
from identity.values.enums import ErasureState
from identity.values.ids import BlindIndex, ErasureId, RequestId, SpaceNumber
from identity.values.stamps import Micros

_ERASURE: LiteralString = (
    "erasure_id, request_id, nr, kind, regulation, state, type, key, hash, commitment, received_at, due_at,"
    " extended_at, internal_at, closed_at, epoch, backup_safe_at, duplicate_of, ledger_seq, counts, aside, found"
)


class ErasureRow(NamedTuple):
    """One identifier of a request and what became of it; `found` is None until the request looked for it."""

    id: ErasureId
    request_id: RequestId
    nr: int
    kind: int
    regulation: int
    state: int
    type: int
    key: BlindIndex
    hash: bytes
    commitment: bytes
    received_at: Micros
    due_at: Micros | None
    extended_at: Micros | None
    internal_at: Micros | None
    closed_at: Micros | None
    epoch: int | None
    backup_safe_at: Micros | None
    duplicate_of: ErasureId | None
    ledger_seq: int | None
    counts: bytes | None
    aside: bytes | None
    found: bool | None


class NewErasure(NamedTuple):
    """An identifier of a new request: the id of its erasure, its hashes, and its number in the request, from 1."""

    id: ErasureId
    type: int
    key: bytes
    hash: bytes
    commitment: bytes
    nr: int


async def add(
    connection: Connection, tenant: Tenant, request: RequestRow, erasures: Sequence[NewErasure], due_at: Micros | None
) -> None:
    """Add the erasures of a new request, in order."""
    ids, types, keys, hashes, commitments, numbers = zip(*erasures, strict=True)
    await connection.execute(
        """
        INSERT INTO erasure (erasure_id, space_id, bucket, request_id, nr, kind, regulation, type, key, hash,
                             commitment, received_at, due_at)
        SELECT u.id, $1::int4, $2::int4, $3, u.nr, $4::int2, $5::int2, u.type, u.key, u.hash, u.commitment,
               $6::int8, $7::int8
        FROM unnest($8::uuid[], $9::int2[], $10::bytea[], $11::bytea[], $12::bytea[], $13::int4[])
             AS u (id, type, key, hash, commitment, nr)
        """,
        [
            tenant.id,
            tenant.base,
            Uuid(request.id),
            request.kind,
            request.regulation,
            request.received_at,
            due_at,
            uuids(ids),
            int2s(types),
            byteas(keys),
            byteas(hashes),
            byteas(commitments),
            int4s(numbers),
        ],
    )


async def by_requests(connection: Connection, tenant: Tenant, requests: Sequence[RequestId]) -> list[ErasureRow]:
    """The erasures of requests, in their order."""
    found = await rows(
        connection,
        f"""
        SELECT {_ERASURE} FROM erasure
        WHERE request_id = ANY ($2::uuid[]) AND space_id + 0 = $1::int4 AND bucket + 0 = $3::int4
        ORDER BY request_id, nr
        """,  # noqa: S608 (names of columns)
        tenant.id,
        uuids(requests),
        tenant.base,
    )
    return [ErasureRow(*each) for each in found]


async def get(connection: Connection, tenant: Tenant, id_: ErasureId) -> ErasureRow | None:
    """An erasure of this space."""
    found = await row(
        connection,
        f"""
        SELECT {_ERASURE} FROM erasure WHERE erasure_id = $2 AND space_id = $1::int4 AND bucket = $3::int4
        """,  # noqa: S608 (names of columns)
        tenant.id,
        Uuid(id_),
        tenant.base,
    )
    return None if found is None else ErasureRow(*found)


async def newest(
    connection: Connection, tenant: Tenant, kinds: Collection[int], state: int | None, before: ErasureId, limit: int
) -> list[ErasureRow]:
    """The newest erasures of these kinds before an id (ids are in the order of time)."""
    found = await rows(
        connection,
        f"""
        SELECT {_ERASURE} FROM erasure
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND ($3::int4 IS NULL OR state = $3::int4) AND erasure_id < $4
          AND kind = ANY ($6::int2[])
        ORDER BY erasure_id DESC LIMIT $5::int4
        """,  # noqa: S608 (names of columns)
        tenant.id,
        tenant.base,
        state,
        Uuid(before),
        limit,
        int2s(sorted(kinds)),
    )
    return [ErasureRow(*each) for each in found]


async def unfinished(connection: Connection, before: Micros, limit: int) -> list[tuple[SpaceNumber, RequestId]]:
    """(space, request) of erasures received before a time that are neither finished nor on hold."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT space_id, request_id FROM erasure
        WHERE state = $3::int2 AND received_at < $1::int8 LIMIT $2::int4
        """,
        before,
        limit,
        ErasureState.RECEIVED.value,
    )
    return [(SpaceNumber(space), RequestId(bytes(id_))) for space, id_ in found]


async def finish(
    connection: Connection,
    tenant: Tenant,
    id_: ErasureId,
    *,
    state: int,
    internal_at: Micros,
    closed_at: Micros | None,
    epoch: int | None,
    ledger_seq: int,
    counts: bytes,
    aside: bytes | None,
    found: bool | None,
) -> None:
    """Record that an erasure is done in this database, or on hold; `found`: whether anybody had the identifier."""
    await connection.execute(
        """
        UPDATE erasure SET state = $4::int2, internal_at = $5::int8, epoch = $6::int4, ledger_seq = $7::int8,
               counts = $8, aside = $9, closed_at = $10::int8, found = $11::bool
        WHERE erasure_id = $1 AND space_id = $2::int4 AND bucket = $3::int4
        """,
        [Uuid(id_), tenant.id, tenant.base, state, internal_at, epoch, ledger_seq, counts, aside, closed_at, found],
    )


async def set_state(connection: Connection, tenant: Tenant, id_: ErasureId, state: int, *, found: bool) -> None:
    """Set the state of an erasure, and whether anybody had its identifier."""
    await connection.execute(
        """
        UPDATE erasure SET state = $4::int2, found = $5::bool
        WHERE erasure_id = $1 AND space_id = $2::int4 AND bucket = $3::int4
        """,
        [Uuid(id_), tenant.id, tenant.base, state, found],
    )


async def mark_duplicates(
    connection: Connection,
    tenant: Tenant,
    indexes: Sequence[bytes],
    of: ErasureRow,
    internal_at: Micros,
    *,
    found: bool,
) -> None:
    """Mark waiting erasures of the same kind and identifiers as duplicates of one, which found somebody or nobody."""
    await connection.execute(
        f"""
        UPDATE erasure e SET state = $7::int2, duplicate_of = $3, internal_at = $4::int8, closed_at = $4::int8,
               found = $8::bool
        WHERE e.key = ANY ($5::bytea[]) AND e.space_id + 0 = $1::int4 AND e.bucket + 0 = $2::int4
          AND {erasure_waiting("e.")}
          AND e.kind = $6::int2 AND e.erasure_id <> $3
        """,  # noqa: S608 (a condition)
        [
            tenant.id,
            tenant.base,
            Uuid(of.id),
            internal_at,
            byteas(indexes),
            of.kind,
            ErasureState.DUPLICATE.value,
            found,
        ],
    )


async def on_hold(
    connection: Connection, tenant: Tenant, indexes: Sequence[bytes]
) -> list[tuple[BlindIndex, ErasureId, RequestId]]:
    """The erasures of these identifiers that wait for a litigation hold: (blind index, erasure, request)."""
    found = await rows(
        connection,
        f"""
        SELECT e.key, e.erasure_id, e.request_id FROM erasure e
        WHERE e.key = ANY ($2::bytea[]) AND e.space_id + 0 = $1::int4 AND e.bucket + 0 = $3::int4
          AND {erasure_waiting("e.")} AND e.state = $4::int2
        ORDER BY e.erasure_id
        """,  # noqa: S608 (a condition)
        tenant.id,
        byteas(indexes),
        tenant.base,
        ErasureState.ON_HOLD.value,
    )
    return [(BlindIndex(bytes(key)), ErasureId(bytes(id_)), RequestId(bytes(request))) for key, id_, request in found]


async def cancel(connection: Connection, tenant: Tenant, request_id: RequestId, at: Micros) -> int:
    """Cancel the waiting erasures of a request; returns how many."""
    done = await connection.execute(
        f"""
        UPDATE erasure SET state = $5::int2, closed_at = $4::int8
        WHERE request_id = $1 AND space_id + 0 = $2::int4 AND bucket + 0 = $3::int4 AND {erasure_waiting()}
        """,  # noqa: S608 (a condition)
        [Uuid(request_id), tenant.id, tenant.base, at, ErasureState.CANCELLED.value],
    )
    return done.rowcount


async def extend(connection: Connection, tenant: Tenant, id_: ErasureId, at: Micros, due_at: Micros) -> bool:
    """Extend the deadline of an erasure, once; False where it was extended before."""
    found = await row(
        connection,
        """
        UPDATE erasure SET extended_at = $4::int8, due_at = $5::int8
        WHERE erasure_id = $1 AND space_id = $2::int4 AND bucket = $3::int4 AND extended_at IS NULL
        RETURNING erasure_id
        """,
        Uuid(id_),
        tenant.id,
        tenant.base,
        at,
        due_at,
    )
    return found is not None
