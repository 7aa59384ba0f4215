"""Segment's regulations: its paths, shapes and media types.

A regulation is carried out before it is answered, where Segment takes days; only destinations are left to
wait for.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from app.http.auth import ByPrivacy
from app.http.idempotency import IdempotencyKey
from app.http.openapi import body, described, schema_of
from app.http.responses import Segment
from app.schemas.segment.regulations import (
    Regulation,
    RegulationErrors,
    RegulationFound,
    RegulationMade,
    RegulationsFound,
    regulation_found,
    regulation_made,
    regulations_found,
)
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.read_requests import get_request, list_requests
from identity.operations.privacy.read_subjects import read_subjects
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy import request_status
from identity.planning.privacy.cancel_refusals import AlreadyLifted, AlreadySuppressed
from identity.planning.privacy.hold_refusals import ErasureWaits
from identity.planning.privacy.privacy_requests import NewRequest
from identity.planning.privacy.segment_regulations import request_kind
from identity.values.enums import Law, RegulationStatus, RequestInterface, RequestKind
from identity.values.errors import (
    AlreadyErased,
    BadCursor,
    BadRegulation,
    IdempotencyConflict,
    OnefoldError,
    RequestNotFound,
    TooManyAsked,
)
from identity.values.ids import RequestId, private
from identity.values.unknown_names import UnknownType

router = APIRouter(tags=["Privacy"])
JSON = "application/json"
MEDIA = tuple(f"application/vnd.segment.{version}+json" for version in ("v1", "v1beta", "v1alpha"))
MOST = 200
_OK = 200
Count = Annotated[int, Query(alias="pagination.count", ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(alias="pagination.cursor", max_length=500)]
_FINISHED = (AlreadyErased, AlreadySuppressed, AlreadyLifted)
_REFUSALS = (BadRegulation, UnknownType, TooManyAsked, IdempotencyConflict, ErasureWaits)


def _described(shape: type, *refusals: type[OnefoldError], takes: type | None = None) -> dict[str, Any]:
    """As `described`, with errors in Segment's shape."""
    made = described(shape, *refusals, takes=takes)
    schema = schema_of(RegulationErrors)
    for status, response in made["responses"].items():
        if status != _OK:
            response["content"] = {JSON: schema}
    answered = made["responses"][_OK]["content"]
    answered |= dict.fromkeys(MEDIA, answered[JSON])
    return made


def answer(request: Request, document: Any) -> Response:
    """An answer in the media type of the request."""
    accepted = request.headers.get("accept", "") + request.headers.get("content-type", "")
    media = next((each for each in MEDIA if each in accepted), JSON)
    return Response(msgspec.json.encode(document), media_type=media)


@router.post("/v1/regulations", **_described(RegulationMade, *_REFUSALS, takes=Regulation))
async def create_regulation(
    request: Request,
    visit: ByPrivacy,
    wanted: Annotated[Regulation, Depends(body(Regulation))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Delete or suppress people, or lift a suppression, in the terms of Segment's public API."""
    kind = request_kind(wanted.regulation_type)
    of_people = kind != RequestKind.UNSUPPRESS
    subjects = await read_subjects(visit.space, wanted.subject_type, wanted.subject_ids, of_people=of_people)
    new = NewRequest(
        front=RequestInterface.SEGMENT,
        kind=kind,
        regulation=Law.NONE,
        identifiers=subjects,
        actor=visit.caller.key_id,
        idempotency=idempotency_key,
    )
    return answer(request, regulation_made(await request_erasure(visit.space, new)))


@router.get("/v1/regulations", **_described(RegulationsFound, BadRegulation, BadCursor))
async def list_regulations(
    request: Request,
    visit: ByPrivacy,
    status: Annotated[str | None, Query(max_length=40)] = None,
    types: Annotated[list[str] | None, Query(alias="regulationTypes")] = None,
    count: Count = 20,
    cursor: Cursor = None,
) -> Response:
    """The regulations of the space, the newest first."""
    if status is not None and status not in set(RegulationStatus):
        message = f"status must be one of {', '.join(RegulationStatus)}."
        raise BadRegulation(message)
    kinds = [request_kind(each) for each in types] if types else None
    found, following = await list_requests(visit.space, [RequestInterface.SEGMENT], kinds, count, cursor)
    page = [each for each in found if status is None or request_status.segment_status(each) == status]
    return answer(request, regulations_found(page, cursor, following))


@router.get("/v1/regulations/{regulate_id}", **_described(RegulationFound, RequestNotFound))
async def get_regulation(request: Request, visit: ByPrivacy, regulate_id: Segment) -> Response:
    """The status of a regulation."""
    found = await get_request(visit.space, _id(regulate_id))
    return answer(request, regulation_found(found, visit.space.public_id))


@router.delete("/v1/regulations/{regulate_id}", **_described(RegulationFound, RequestNotFound, *_FINISHED))
async def cancel_regulation(request: Request, visit: ByPrivacy, regulate_id: Segment) -> Response:
    """Cancel the erasures that wait for a hold; a finished regulation cannot be cancelled.

    A suppression that is in force is lifted with a regulation of type UNSUPPRESS.
    """
    cancelled = await cancel_request(visit.space, _id(regulate_id), visit.caller.key_id)
    return answer(request, regulation_found(cancelled, visit.space.public_id))


def _id(text: str) -> RequestId:
    id_ = private("req", text)
    if id_ is None:
        raise RequestNotFound
    return id_
