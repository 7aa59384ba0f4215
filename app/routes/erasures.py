"""Privacy for administrators of a space: erasures, suppressions and holds.

A request is answered once it is carried out: from then on erased data is unreadable in every process, and
calls of suppressed identifiers are not recorded.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.http.auth import ByLawyer, ByPrivacy
from app.http.idempotency import IdempotencyKey
from app.http.openapi import body, described
from app.http.request_shapes import require_readable
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, Segment, answer
from app.routes.corrections import JOIN_REFUSALS, cut_by
from app.schemas import holds
from app.schemas import privacy as schemas
from app.schemas.holds import HeldProfiles, HoldInfo, HoldMade, Holds, NewHold, Released
from app.schemas.privacy import (
    Erase,
    Erasure,
    Erasures,
    ErasuresMade,
    Extend,
    Identifiers,
    Lifted,
    Receipt,
    State,
    SuppressionMade,
    Suppressions,
)
from app.version import installed_version
from identity.operations.privacy import manage_holds, manage_suppressions
from identity.operations.privacy.extend_erasure import extend_erasure
from identity.operations.privacy.issue_receipt import issue_receipt
from identity.operations.privacy.read_requests import get_erasure, list_erasures
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles import read_profile
from identity.operations.spaces import record_read
from identity.planning.privacy.hold_refusals import ErasureWaits
from identity.planning.privacy.privacy_requests import NewRequest
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
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
from identity.values.stamps import wall_time
from identity.values.unknown_names import UnknownType

router = APIRouter(tags=["Privacy"])
_KINDS = {True: RequestKind.SUPPRESS_WITH_DELETE, False: RequestKind.DELETE_ONLY}
_REFUSALS = (BadIdentifier, UnknownType, TooManyAsked)


@router.post(
    "/v1/erasures",
    **described(ErasuresMade, *_REFUSALS, IdempotencyConflict, *JOIN_REFUSALS, status=202, takes=Erase),
)
async def erase_people(
    visit: ByPrivacy,
    wanted: Annotated[Erase, Depends(body(Erase))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Erase people; inside Onefold the erasure is complete when the answer arrives, unless a hold delays it.

    A request with the same Idempotency-Key is the same request and safe to repeat.
    """
    request = NewRequest(
        front=RequestInterface.NATIVE,
        kind=_KINDS[wanted.suppress],
        regulation=Law[wanted.regulation.upper()],
        identifiers=wanted.identifiers,
        actor=visit.caller.key_id,
        idempotency=idempotency_key,
        public_joins=wanted.public_joins,
    )
    return answer(schemas.erasures_made(await request_erasure(visit.space, request, cut_by(visit))), 202)


@router.get("/v1/erasures", **described(Erasures, BadCursor))
async def read_erasures(
    visit: ByPrivacy,
    state: Annotated[State | None, Query()] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The erasures of the space, the newest first."""
    wanted = None if state is None else ErasureState[state.upper()]
    found, following = await list_erasures(visit.space, wanted, limit, cursor)
    return answer(schemas.erasures_page(found, following, wall_time()))


@router.get("/v1/erasures/{erasure_id}", **described(Erasure, ErasureNotFound))
async def read_erasure(visit: ByPrivacy, erasure_id: Segment) -> Response:
    """The results of an erasure: here, at destinations, in backups."""
    return answer(schemas.erasure(await get_erasure(visit.space, erasure_id), wall_time()))


@router.get("/v1/erasures/{erasure_id}/receipt", **described(Receipt, ErasureNotFound, ReceiptPending))
async def get_receipt(visit: ByPrivacy, erasure_id: Segment) -> Response:
    """Signed proof of an erasure, verified offline with the published keys."""
    found = await get_erasure(visit.space, erasure_id)
    return answer(await issue_receipt(visit.onefold.spaces, visit.space, found, f"onefold {installed_version()}"))


@router.post(
    "/v1/erasures/{erasure_id}/extend",
    **described(Erasure, ErasureNotFound, NotExtensible, AlreadyExtended, takes=Extend),
)
async def extend_deadline(
    visit: ByPrivacy, erasure_id: Segment, wanted: Annotated[Extend, Depends(body(Extend))]
) -> Response:
    """Extend the due date, once, for a reason that you give to the person."""
    require_readable(reason=wanted.reason)
    extended = await extend_erasure(visit.space, erasure_id, wanted.reason, visit.caller.key_id)
    return answer(schemas.erasure(extended, wall_time()))


@router.get("/v1/suppressions", **described(Suppressions))
async def count_suppressions(visit: ByPrivacy) -> Response:
    """How many identifiers are suppressed, and for how long."""
    return answer(schemas.suppressions(await manage_suppressions.count_suppressions(visit.space)))


@router.post("/v1/suppressions", **described(SuppressionMade, *_REFUSALS, takes=Identifiers))
async def suppress_identifiers(
    visit: ByPrivacy, wanted: Annotated[Identifiers, Depends(body(Identifiers))]
) -> Response:
    """Drop later calls about these identifiers."""
    changed = await manage_suppressions.suppress_identifiers(visit.space, wanted.identifiers, visit.caller.key_id)
    return answer(schemas.suppressed(changed))


@router.delete("/v1/suppressions", **described(Lifted, *_REFUSALS, ErasureWaits, takes=Identifiers))
async def lift_suppressions(visit: ByPrivacy, wanted: Annotated[Identifiers, Depends(body(Identifiers))]) -> Response:
    """Record calls of these identifiers again; earlier data does not come back.

    Refused while an erasure of one of these people waits for a hold.
    """
    changed = await manage_suppressions.lift_suppressions(visit.space, wanted.identifiers, visit.caller.key_id)
    return answer(schemas.lifted(changed))


@router.post("/v1/suppressions/lift", **described(Lifted, *_REFUSALS, ErasureWaits, takes=Identifiers))
async def lift_suppressions_by_post(
    visit: ByPrivacy, wanted: Annotated[Identifiers, Depends(body(Identifiers))]
) -> Response:
    """Lift suppressions, for clients that drop the body of a DELETE."""
    changed = await manage_suppressions.lift_suppressions(visit.space, wanted.identifiers, visit.caller.key_id)
    return answer(schemas.lifted(changed))


@router.get("/v1/holds", **described(Holds))
async def list_holds(visit: ByPrivacy) -> Response:
    """The holds in force."""
    return answer(Holds([holds.hold_info(each) for each in await manage_holds.list_holds(visit.space)]))


@router.post("/v1/holds", **described(HoldMade, *_REFUSALS, status=201, takes=NewHold))
async def create_hold(visit: ByPrivacy, wanted: Annotated[NewHold, Depends(body(NewHold))]) -> Response:
    """Keep every person with one of these identifiers from being erased; people whose erasure waits are hidden."""
    require_readable(reason=wanted.reason)
    placed = await manage_holds.place_hold(visit.space, wanted.identifiers, wanted.reason, visit.caller.key_id)
    return answer(holds.hold_made(placed), 201)


@router.get("/v1/holds/{hold_id}", **described(HoldInfo, HoldNotFound))
async def get_hold(visit: ByPrivacy, hold_id: Segment) -> Response:
    """A hold in force, and whom it covers now."""
    return answer(holds.hold_info(await manage_holds.get_hold(visit.space, hold_id)))


@router.get("/v1/holds/{hold_id}/profiles", **described(HeldProfiles, HoldNotFound, TooMuch))
async def list_held_profiles(visit: ByLawyer, hold_id: Segment) -> Response:
    """The profiles under a hold; the only way to read people whose erasure waits for its end."""
    found = await read_profile.held(visit.space, hold_id)
    await record_read.note(visit.space, visit.caller.key_id, "hold.read", hold_id)
    return answer(holds.held_profiles(found))


@router.delete("/v1/holds/{hold_id}", **described(Released, HoldNotFound))
async def release_hold(visit: ByPrivacy, hold_id: Segment) -> Response:
    """End a hold and carry out the erasures that waited for it."""
    return answer(holds.released(await manage_holds.release_hold(visit.space, hold_id, visit.caller.key_id)))
