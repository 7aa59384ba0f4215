"""Requests in the ledger: written whole when they arrive, and restored as rows after a backup lost them.

The entries hold ids, keyed hashes and sealed bytes, never a person. Each step can repeat: a request that is there
stays as it is, and older entries are skipped.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from identity.store.corrections.rules import FIRST_CODE, types
from identity.store.postgres.arrays import int4s
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.store.privacy import erasure_notices, erasures, requests
from identity.store.privacy.erasures import ErasureRow, NewErasure
from identity.store.privacy.requests import RequestRow
from identity.values.enums import ErasureState, RequestState
from identity.values.ids import DestinationNumber, ErasureId, RequestId
from identity.values.stamps import Micros


def ledger_fields(
    request: RequestRow,
    idempotency: bytes | None,
    erasures: Sequence[NewErasure],
    due_at: Micros | None,
    call_at: Micros | None,
) -> dict[str, Any]:
    """The fields of a new request for its ledger entry: enough to restore its rows."""
    return {
        "front": request.front,
        "kind": request.kind,
        "regulation": request.regulation,
        "received_at": request.received_at,
        "due_at": due_at,
        "call_at": call_at,
        "idempotency": _hex(idempotency),
        "body": _hex(request.request_hash),
        "details": _hex(request.details),
        "erasures": [[each.id.hex(), each.type, each.key.hex(), each.hash.hex(), each.commitment.hex(), each.nr]
                     for each in erasures],
    }  # fmt: skip


async def restore_request(connection: Connection, tenant: Tenant, id_: RequestId, entry: Mapping[str, Any]) -> None:
    """Restore a request, waiting to be done."""
    request = RequestRow(
        id=id_,
        front=entry["front"],
        kind=entry["kind"],
        regulation=entry["regulation"],
        state=RequestState.OPEN,
        received_at=entry["received_at"],
        actor=entry["actor"],
        request_hash=_bytes(entry["body"]),
        details=_bytes(entry["details"]),
    )
    if not await requests.add(connection, tenant, request, _bytes(entry["idempotency"]), entry.get("call_at")):
        return
    known = {code for code, _ in await types(connection, tenant.id)}
    named = [_new_erasure(known, nr, fields) for nr, fields in enumerate(entry["erasures"], 1)]
    await erasures.add(connection, tenant, request, named, entry["due_at"])


def _new_erasure(known: Collection[int], nr: int, fields: Sequence[Any]) -> NewErasure:
    """The erasure of its fields in the ledger entry; an older entry lacks the number, which is `nr` then."""
    erasure, code, key, hash_, commitment, *number = fields
    return NewErasure(
        id=ErasureId(bytes.fromhex(erasure)),
        # A type that came up since is not known any more, and its number may be another's soon.
        type=code if code in known or code < FIRST_CODE else 0,
        key=bytes.fromhex(key),
        hash=bytes.fromhex(hash_),
        commitment=bytes.fromhex(commitment),
        nr=number[0] if number else nr,
    )


async def restore_outcome(
    connection: Connection,
    tenant: Tenant,
    waiting: Sequence[ErasureRow],
    internal_at: Micros,
    seq: int,
    counts: bytes,
    *,
    epoch: int | None = None,
    informed: Sequence[DestinationNumber] = (),
    found: Collection[int] | None = None,
) -> None:
    """Restore erasures that were done at `internal_at`, by the ledger entry `seq`; `informed` get notices.

    `found` are the positions in the request of the identifiers that somebody had; None where the entry is too old.
    The identifiers set aside for the notices are lost: the destinations find the person by the ids in the feed.
    """
    informed = await destinations(connection, tenant, informed) if informed else []
    for each in waiting:
        await erasures.finish(
            connection,
            tenant,
            each.id,
            state=ErasureState.FINISHED,
            internal_at=internal_at,
            closed_at=None if informed else internal_at,
            epoch=epoch,
            ledger_seq=seq,
            counts=counts,
            aside=None,
            found=None if found is None else each.nr in found,
        )
        await erasure_notices.add(connection, tenant, each.id, informed, internal_at)


async def destinations(
    connection: Connection, tenant: Tenant, numbers: Sequence[DestinationNumber]
) -> list[DestinationNumber]:
    """Which of these destinations a restored database knows."""
    found = await rows(
        connection,
        "SELECT id FROM destination WHERE space_id = $1::int4 AND id = ANY ($2::int4[]) ORDER BY id",
        tenant.id,
        int4s(numbers),
    )
    return [DestinationNumber(id_) for (id_,) in found]


async def waiting(connection: Connection, tenant: Tenant, request_id: RequestId) -> list[ErasureRow]:
    """The erasures of a request that are not done."""
    return [
        each
        for each in await erasures.by_requests(connection, tenant, [request_id])
        if each.state < ErasureState.FINISHED
    ]


def _hex(raw: bytes | None) -> str | None:
    return None if raw is None else raw.hex()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
