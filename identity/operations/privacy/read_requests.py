"""Privacy requests and their erasures as values: one by id, or a page of them, the newest first."""

from collections.abc import Sequence
from typing import Final

import msgspec

from identity.planning.privacy.privacy_requests import (
    DELETES,
    DestroyedCounts,
    ErasureNotice,
    ErasureResult,
    PrivacyRequest,
)
from identity.spaces.space import Space
from identity.store.postgres.database import Connection
from identity.store.privacy import erasure_notices, erasures, requests, suppressions
from identity.store.privacy.erasures import ErasureRow
from identity.values.enums import ErasureState, Law, NoticeState, RequestInterface, RequestKind
from identity.values.errors import ErasureNotFound, RequestNotFound
from identity.values.ids import LAST_ID, DestinationNumber, ErasureId, RequestId, private
from identity.values.stamps import Micros
from identity.vault.seal import REQUEST

_LAST_TIME: Final = Micros((1 << 63) - 1)


async def get_request(space: Space, request_id: RequestId) -> PrivacyRequest:
    """A request with its erasures. RequestNotFound."""
    async with space.database.reading() as connection:
        row = await requests.get(connection, space.tenant, request_id)
        rows = [] if row is None else await erasures.by_requests(connection, space.tenant, [request_id])
        results = await _results(space, connection, rows)
    if row is None:
        raise RequestNotFound
    return _request(space, row, results)


async def list_requests(
    space: Space, fronts: Sequence[int], kinds: Sequence[int] | None, limit: int, cursor: str | None
) -> tuple[list[PrivacyRequest], str | None]:
    """A page of requests, the newest first, and the cursor after it. BadCursor."""
    before = _LAST_TIME, RequestId(LAST_ID)
    if cursor is not None:
        packed_position = space.read_cursor(b"requests", cursor)
        before = Micros(int.from_bytes(packed_position[:8], "big")), RequestId(packed_position[8:])
    async with space.database.reading() as connection:
        found = await requests.newest(connection, space.tenant, fronts, kinds, before, limit + 1)
        page = found[:limit]
        rows = await erasures.by_requests(connection, space.tenant, [row.id for row in page])
        results = await _results(space, connection, rows)
    by_request: dict[RequestId, list[ErasureResult]] = {}
    for result in results:
        by_request.setdefault(result.request_id, []).append(result)
    following = None
    if len(found) > limit:
        following = space.write_cursor(b"requests", page[-1].received_at.to_bytes(8, "big") + page[-1].id)
    return [_request(space, row, by_request.get(row.id, [])) for row in page], following


async def get_erasure(space: Space, erasure_id: str) -> ErasureResult:
    """An erasure by its public id. ErasureNotFound; a suppression and a lift erase nothing, so neither is one."""
    id_ = private("ers", erasure_id)
    async with space.database.reading() as connection:
        row = None if id_ is None else await erasures.get(connection, space.tenant, id_)
        if row is None or row.kind not in DELETES:
            raise ErasureNotFound
        return (await _results(space, connection, [row]))[0]


async def list_erasures(
    space: Space, state: ErasureState | None, limit: int, cursor: str | None
) -> tuple[list[ErasureResult], str | None]:
    """A page of erasures, the newest first, in one state or any, and the cursor after it. BadCursor."""
    before = ErasureId(LAST_ID if cursor is None else space.read_cursor(b"erasures", cursor))
    async with space.database.reading() as connection:
        rows = await erasures.newest(connection, space.tenant, DELETES, state, before, limit + 1)
        page = rows[:limit]
        results = await _results(space, connection, page)
    following = space.write_cursor(b"erasures", page[-1].id) if len(rows) > limit else None
    return results, following


def _request(space: Space, row: requests.RequestRow, results: Sequence[ErasureResult]) -> PrivacyRequest:
    details = None
    if row.details is not None:
        details = msgspec.json.decode(space.keys.open(REQUEST, row.id, 0, row.details))
    return PrivacyRequest(
        id=row.id,
        front=RequestInterface(row.front),
        kind=RequestKind(row.kind),
        regulation=Law(row.regulation),
        received_at=row.received_at,
        actor=row.actor,
        details=details,
        erasures=results,
    )


async def _results(space: Space, connection: Connection, rows: Sequence[ErasureRow]) -> list[ErasureResult]:
    if not rows:
        return []
    notices = await erasure_notices.by_erasures(connection, space.tenant, [row.id for row in rows])
    suppressed = await suppressions.listed(connection, space.tenant, sorted({row.hash for row in rows}))
    if any(row.type and row.type not in space.names for row in rows):
        # Another process numbered a new identifier type since.
        await space.read_types()
    by_erasure: dict[ErasureId, list[ErasureNotice]] = {}
    informed: dict[ErasureId, set[DestinationNumber]] = {}
    for each in notices:
        informed.setdefault(each.erasure_id, set()).add(each.number)
        notice = ErasureNotice(
            destination=each.destination,
            name=each.name,
            state=NoticeState(each.state),
            at=each.at,
            ack=each.ack,
        )
        by_erasure.setdefault(each.erasure_id, []).append(notice)
    for row in rows:
        recorded = space.recorded_erasures.outcomes.get(row.id)
        if recorded is not None and (lost := set(recorded.informed) - informed.get(row.id, set())):
            by_erasure.setdefault(row.id, []).extend(await _lost_notices(space, connection, row, lost))
    return [_result(space, row, by_erasure.get(row.id, ()), suppressed=row.hash in suppressed) for row in rows]


async def _lost_notices(
    space: Space, connection: Connection, row: ErasureRow, numbers: set[DestinationNumber]
) -> list[ErasureNotice]:
    """The notices that the database lacks, for destinations that had data as the journal says: nothing is answered."""
    found = await erasure_notices.destinations(connection, space.tenant, sorted(numbers))
    at = row.internal_at or row.received_at
    return [
        ErasureNotice(destination=each.id, name=each.name, state=NoticeState.QUEUED, at=at, ack=None) for each in found
    ]


def _safe_at(space: Space, row: ErasureRow) -> Micros | None:
    """When backups are safe, as a receipt says it; for an erasure of an earlier release as the database has it."""
    recorded = space.recorded_erasures.outcomes.get(row.id)
    return row.backup_safe_at if recorded is None else space.recorded_erasures.safe_at(recorded)


def _result(space: Space, row: ErasureRow, notices: Sequence[ErasureNotice], *, suppressed: bool) -> ErasureResult:
    return ErasureResult(
        id=row.id,
        request_id=row.request_id,
        nr=row.nr,
        kind=RequestKind(row.kind),
        regulation=Law(row.regulation),
        state=ErasureState(row.state),
        type=space.names.get(row.type, "unknown"),
        commitment=row.commitment,
        received_at=row.received_at,
        due_at=row.due_at,
        extended_at=row.extended_at,
        internal_at=row.internal_at,
        closed_at=row.closed_at,
        epoch=row.epoch,
        backup_safe_at=_safe_at(space, row),
        duplicate_of=row.duplicate_of,
        ledger_seq=row.ledger_seq,
        counts=None if row.counts is None else msgspec.json.decode(row.counts, type=DestroyedCounts),
        notices=notices,
        found=row.found if row.found is not None else _found(row),
        suppressed=suppressed,
    )


def _found(row: ErasureRow) -> bool | None:
    """Whether an erasure from before this was recorded found anybody: its keys show it."""
    if row.counts is None or row.kind not in DELETES:
        return None
    return bool(msgspec.json.decode(row.counts, type=DestroyedCounts).keys)
