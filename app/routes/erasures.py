"""What privacy teams ask for: erasing, suppressing, holding, and how far it is.

A request is answered when it is done: from then on nobody reads what was erased, in any process, and
what is suppressed does not come in.
"""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from app.http.auth import ByLawyer, ByPrivacy
from app.http.openapi import VERSION, body, described
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, Segment, answer
from app.schemas.privacy import (
    Erase,
    Erasure,
    Erasures,
    ErasuresMade,
    Extend,
    Held,
    HoldInfo,
    Holds,
    Identifiers,
    Lifted,
    NewHold,
    Receipt,
    Released,
    State,
    Suppressed,
    Suppressions,
)
from identity.operations.privacy import list_suppressions, manage_holds, request_erasure
from identity.operations.privacy.issue_receipt import receipt
from identity.operations.profiles import read_profile
from identity.operations.spaces import record_read
from identity.planning.privacy import request_kinds
from identity.planning.privacy.request_status import native
from identity.planning.resolution.event_time import format_time
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import (
    AlreadyExtended,
    BadCursor,
    BadIdentifier,
    ErasureNotFound,
    HoldNotFound,
    IdempotencyConflict,
    NotExtensible,
    ReceiptPending,
    TooManyAsked,
    TooMuch,
)
from identity.values.ids import public

router = APIRouter(tags=["Privacy"])
_KINDS = {True: RequestKind.SUPPRESS_WITH_DELETE, False: RequestKind.DELETE_ONLY}
_REFUSALS = (BadIdentifier, TooManyAsked)


@router.post("/v1/erasures", **described(ErasuresMade, *_REFUSALS, IdempotencyConflict, status=202, takes=Erase))
async def erase(
    visit: ByPrivacy,
    wanted: Annotated[Erase, Depends(body(Erase))],
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Erase people by any of their identifiers; answered when it is done. The same key is the same request."""
    regulation = Law[wanted.regulation.upper()]
    kind, actor = _KINDS[wanted.suppress], visit.caller.key_id
    asked = request_kinds.Asked(RequestInterface.NATIVE, kind, regulation, wanted.identifiers, actor, idempotency_key)
    done = await request_erasure.ask(visit.space, asked)
    made = [
        {
            "erasure_id": public("ers", each.id),
            "identifier": each.identifier,
            "internal": each.state.label,
            "due_at": None if each.due_at is None else format_time(each.due_at),
            "salt": each.salt,
            "subject_commitment": each.commitment.hex(),
        }
        for each in done.erasures
    ]
    return answer({"request_id": public("req", done.id), "erasures": made}, 202)


@router.get("/v1/erasures", **described(Erasures, BadCursor))
async def erasures(
    visit: ByPrivacy,
    state: Annotated[State | None, Query()] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The erasures of the space, the newest first."""
    found, following = await request_erasure.erasures(visit.space, state, limit, cursor)
    now = time.time_ns() // 1000
    return answer({"erasures": [native(each, now) for each in found], "next_cursor": following})


@router.get("/v1/erasures/{erasure_id}", **described(Erasure, ErasureNotFound))
async def erasure(visit: ByPrivacy, erasure_id: Segment) -> Response:
    """How far an erasure is: here, at destinations, in backups."""
    return answer(native(await request_erasure.erasure(visit.space, erasure_id), time.time_ns() // 1000))


@router.get("/v1/erasures/{erasure_id}/receipt", **described(Receipt, ErasureNotFound, ReceiptPending))
async def proof(visit: ByPrivacy, erasure_id: Segment) -> Response:
    """Signed proof of what was erased, to be checked offline with the published keys."""
    erased = await request_erasure.erasure(visit.space, erasure_id)
    return answer(await receipt(visit.onefold.spaces, visit.space, erased, f"onefold {VERSION}"))


@router.post(
    "/v1/erasures/{erasure_id}/extend",
    **described(Erasure, ErasureNotFound, NotExtensible, AlreadyExtended, takes=Extend),
)
async def extend(visit: ByPrivacy, erasure_id: Segment, wanted: Annotated[Extend, Depends(body(Extend))]) -> Response:
    """Take more time, once, for a reason that the person is told."""
    extended = await request_erasure.extend(visit.space, erasure_id, wanted.reason, visit.caller.key_id)
    return answer(native(extended, time.time_ns() // 1000))


@router.get("/v1/suppressions", **described(Suppressions))
async def count(visit: ByPrivacy) -> Response:
    """How many identifiers are suppressed, and for how long."""
    return answer(await list_suppressions.counts(visit.space))


@router.post("/v1/suppressions", **described(Suppressed, *_REFUSALS, takes=Identifiers))
async def suppress(visit: ByPrivacy, wanted: Annotated[Identifiers, Depends(body(Identifiers))]) -> Response:
    """Record nothing of these any more."""
    return answer(await list_suppressions.suppress(visit.space, wanted.identifiers, visit.caller.key_id))


@router.delete("/v1/suppressions", **described(Lifted, *_REFUSALS, takes=Identifiers))
async def lift(visit: ByPrivacy, wanted: Annotated[Identifiers, Depends(body(Identifiers))]) -> Response:
    """Record calls of these again; nothing comes back."""
    return answer(await list_suppressions.lift(visit.space, wanted.identifiers, visit.caller.key_id))


@router.post("/v1/suppressions/lift", **described(Lifted, *_REFUSALS, takes=Identifiers))
async def lift_too(visit: ByPrivacy, wanted: Annotated[Identifiers, Depends(body(Identifiers))]) -> Response:
    """The same, for clients that drop the body of a DELETE."""
    return answer(await list_suppressions.lift(visit.space, wanted.identifiers, visit.caller.key_id))


@router.get("/v1/holds", **described(Holds))
async def standing(visit: ByPrivacy) -> Response:
    """The holds that stand."""
    return answer({"holds": await manage_holds.holds(visit.space)})


@router.post("/v1/holds", **described(HoldInfo, *_REFUSALS, status=201, takes=NewHold))
async def hold(visit: ByPrivacy, wanted: Annotated[NewHold, Depends(body(NewHold))]) -> Response:
    """Keep whoever bears one of these from being erased, and hide who is to be erased."""
    return answer(await manage_holds.hold(visit.space, wanted.identifiers, wanted.reason, visit.caller.key_id), 201)


@router.get("/v1/holds/{hold_id}/profiles", **described(Held, HoldNotFound, TooMuch))
async def held(visit: ByLawyer, hold_id: Segment) -> Response:
    """Whoever is under a hold; the only way to read those who are to be erased when it ends."""
    found = await read_profile.held(visit.space, hold_id)
    await record_read.note(visit.space, visit.caller.key_id, "hold.read", hold_id)
    return answer({"profiles": found})


@router.delete("/v1/holds/{hold_id}", **described(Released, HoldNotFound))
async def release(visit: ByPrivacy, hold_id: Segment) -> Response:
    """End a hold; erasures that waited for it are done now."""
    return answer(await manage_holds.release(visit.space, hold_id, visit.caller.key_id))
