"""Privacy requests as rows.

A request is stored before anything is erased for it, so an interrupted one is found and finished.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import Uuid, int4s
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.predicates import erasure_waiting
from identity.store.postgres.tenant import Tenant
from identity.values.enums import ErasureState, RequestKind, RequestState
from identity.values.ids import RequestId, SpaceId, SpaceNumber
from identity.values.stamps import Micros

_REQUEST: LiteralString = "request_id, front, kind, regulation, state, received_at, actor, body, details"


class RequestRow(NamedTuple):
    """A request; `request_hash` is the column `body`, `details` are sealed under the space's key."""

    id: RequestId
    front: int
    kind: int
    regulation: int
    state: int
    received_at: Micros
    actor: str
    request_hash: bytes | None
    details: bytes | None


async def by_idempotency_key(connection: Connection, tenant: Tenant, idempotency: bytes) -> RequestRow | None:
    """The request that used this key of the client before."""
    found = await row(
        connection,
        f"""
        SELECT {_REQUEST} FROM privacy_request
        WHERE idempotency = $2 AND space_id + 0 = $1::int4 AND bucket + 0 = $3::int4
        """,  # noqa: S608 (names of columns)
        tenant.id,
        Uuid(idempotency),
        tenant.base,
    )
    return None if found is None else RequestRow(*found)


async def add(
    connection: Connection, tenant: Tenant, request: RequestRow, idempotency: bytes | None, call_at: Micros | None
) -> bool:
    """Add a request without its erasures; False where its id or the key of the client is taken.

    `call_at`: from when its status callback is due.
    """
    made = await row(
        connection,
        """
        INSERT INTO privacy_request (request_id, space_id, bucket, front, kind, regulation, received_at, actor,
                                     idempotency, body, details, call_at)
        VALUES ($1, $2::int4, $3::int4, $4::int2, $5::int2, $6::int2, $7::int8, $8::text, $9::uuid, $10::uuid, $11,
                $12::int8)
        ON CONFLICT DO NOTHING RETURNING request_id
        """,
        Uuid(request.id),
        tenant.id,
        tenant.base,
        request.front,
        request.kind,
        request.regulation,
        request.received_at,
        request.actor,
        None if idempotency is None else idempotency.hex(),
        None if request.request_hash is None else request.request_hash.hex(),
        request.details,
        call_at,
    )
    return made is not None


async def get(connection: Connection, tenant: Tenant, request_id: RequestId) -> RequestRow | None:
    """A request of this space."""
    found = await row(
        connection,
        f"""
        SELECT {_REQUEST} FROM privacy_request
        WHERE request_id = $2 AND space_id + 0 = $1::int4 AND bucket + 0 = $3::int4
        """,  # noqa: S608 (names of columns)
        tenant.id,
        Uuid(request_id),
        tenant.base,
    )
    return None if found is None else RequestRow(*found)


async def newest(
    connection: Connection,
    tenant: Tenant,
    fronts: Sequence[int],
    kinds: Sequence[int] | None,
    before: tuple[Micros, RequestId],
    limit: int,
) -> list[RequestRow]:
    """The newest requests before a (time, id)."""
    found = await rows(
        connection,
        f"""
        SELECT {_REQUEST} FROM privacy_request
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND front = ANY ($3::int4[])
          AND ($4::int4[] IS NULL OR kind = ANY ($4::int4[])) AND (received_at, request_id) < ($5::int8, $6)
        ORDER BY received_at DESC, request_id DESC LIMIT $7::int4
        """,  # noqa: S608 (names of columns)
        tenant.id,
        tenant.base,
        int4s(list(fronts)),
        None if kinds is None else int4s(list(kinds)),
        before[0],
        Uuid(before[1]),
        limit,
    )
    return [RequestRow(*each) for each in found]


class UnansweredRow(NamedTuple):
    """A request that is not answered; `space` is the public id of its space, `due_at` the deadline of its erasures."""

    space_id: SpaceNumber
    space: SpaceId
    id: RequestId
    kind: int
    regulation: int
    state: int
    received_at: Micros
    due_at: Micros | None
    confirmed: bool


async def unanswered(connection: Connection) -> list[UnansweredRow]:
    """The requests of all spaces with a waiting erasure, and unanswered access requests."""
    found = await rows(
        connection,
        f"""
        WITH waiting AS (
            SELECT space_id, request_id, min(due_at) AS due_at, bool_and(state <> $3::int2) AS confirmed
            FROM erasure WHERE {erasure_waiting()} GROUP BY 1, 2
        )
        SELECT r.space_id, s.public_id, r.request_id, r.kind, r.regulation, r.state, r.received_at, w.due_at,
               w.confirmed
        FROM waiting w
        JOIN privacy_request r ON r.request_id = w.request_id AND r.space_id = w.space_id
        JOIN space s ON s.id = r.space_id AND s.deleted_at IS NULL
        UNION ALL
        SELECT r.space_id, s.public_id, r.request_id, r.kind, r.regulation, r.state, r.received_at, NULL, true
        FROM privacy_request r JOIN space s ON s.id = r.space_id AND s.deleted_at IS NULL
        WHERE r.kind = $1::int2 AND r.state < $2::int2
        """,  # noqa: S608 (a condition)
        RequestKind.ACCESS.value,
        RequestState.ANSWERED.value,
        ErasureState.RECEIVED.value,
    )
    return [UnansweredRow(*each) for each in found]


async def advance_state(connection: Connection, space_id: SpaceNumber, request_id: RequestId, state: int) -> bool:
    """Raise the state of a request; False where another process did."""
    found = await row(
        connection,
        """
        UPDATE privacy_request SET state = $3::int2
        WHERE request_id = $1 AND space_id + 0 = $2::int4 AND state < $3::int2 RETURNING request_id
        """,
        Uuid(request_id),
        space_id,
        state,
    )
    return found is not None


async def reset_state(connection: Connection, tenant: Tenant, request_id: RequestId) -> None:
    """Reset the state of a request whose deadline moved."""
    await connection.execute(
        """
        UPDATE privacy_request SET state = $4::int2
        WHERE request_id = $1 AND space_id + 0 = $2::int4 AND bucket + 0 = $3::int4 AND state < $5::int2
        """,
        [Uuid(request_id), tenant.id, tenant.base, RequestState.OPEN.value, RequestState.ANSWERED.value],
    )


async def mark_answered(connection: Connection, tenant: Tenant, request_id: RequestId) -> None:
    """Mark an access request as answered, with earlier requests for the same."""
    await connection.execute(
        """
        UPDATE privacy_request r SET state = $4::int2 FROM privacy_request a
        WHERE a.request_id = $1 AND a.space_id = $2::int4 AND a.bucket = $3::int4
          AND r.space_id = $2::int4 AND r.bucket = $3::int4 AND r.kind = a.kind AND r.received_at <= a.received_at
          AND (r.request_id = a.request_id OR r.body = a.body)
        """,
        [Uuid(request_id), tenant.id, tenant.base, RequestState.ANSWERED.value],
    )
