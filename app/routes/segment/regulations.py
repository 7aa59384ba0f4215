"""Segment's regulations: its paths, shapes and media types, over the one engine.

A regulation is carried out before it is answered, where Segment takes days; what is left to wait for are
destinations.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from app.http.auth import ByPrivacy
from app.http.openapi import body, described, schema_of
from app.http.responses import Segment
from app.schemas.segment_regulations import (
    Regulation,
    RegulationErrors,
    RegulationFound,
    RegulationMade,
    RegulationsFound,
)
from identity.operations.privacy import request_erasure
from identity.planning.privacy import request_kinds, request_status
from identity.planning.privacy.segment_regulations import kind_of, listed, shown, subject_type
from identity.values.enums import Law, RegulationStatus, RequestInterface
from identity.values.errors import (
    AlreadyErased,
    BadCursor,
    BadIdentifier,
    BadRegulation,
    IdempotencyConflict,
    OnefoldError,
    RequestNotFound,
    TooManyAsked,
)
from identity.values.identifiers import parse
from identity.values.ids import private, public

router = APIRouter(tags=["Privacy"])
JSON = "application/json"
MEDIA = tuple(f"application/vnd.segment.{version}+json" for version in ("v1", "v1beta", "v1alpha"))
MOST = 200
_OK = 200
Count = Annotated[int, Query(alias="pagination.count", ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(alias="pagination.cursor", max_length=500)]
_REFUSALS = (BadRegulation, BadIdentifier, TooManyAsked, IdempotencyConflict)


def _described(shape: type, *refusals: type[OnefoldError], takes: type | None = None) -> dict[str, Any]:
    """As `described`, with errors in Segment's shape."""
    made = described(shape, *refusals, takes=takes)
    schema = schema_of(RegulationErrors)
    for status, told in made["responses"].items():
        if status != _OK:
            told["content"] = {JSON: schema}
    return made


def answer(request: Request, document: Any) -> Response:
    """In the media type that the client speaks."""
    spoken = request.headers.get("accept", "") + request.headers.get("content-type", "")
    media = next((each for each in MEDIA if each in spoken), JSON)
    return Response(msgspec.json.encode(document), media_type=media)


@router.post("/v1/regulations", **_described(RegulationMade, *_REFUSALS, takes=Regulation))
async def regulate(
    request: Request,
    visit: ByPrivacy,
    wanted: Annotated[Regulation, Depends(body(Regulation))],
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Delete or suppress people, or end that, as Segment's public API asks for it."""
    kind, type_ = kind_of(wanted.regulation_type), subject_type(wanted.subject_type)
    region = (await visit.space.rules()).region
    for at, subject in enumerate(wanted.subject_ids[: request_erasure.MOST_ASKED]):
        try:
            parse(f"{type_}:{subject}", region)
        except BadIdentifier:
            message = f"subjectIds[{at}] is no usable value of this subjectType; nothing was done."
            raise BadRegulation(message) from None
    named = [f"{type_}:{subject}" for subject in wanted.subject_ids]
    asked = request_kinds.Asked(RequestInterface.SEGMENT, kind, Law.NONE, named, visit.caller.key_id, idempotency_key)
    done = await request_erasure.ask(visit.space, asked)
    return answer(request, {"data": {"regulateId": public("req", done.id)}})


@router.get("/v1/regulations", **_described(RegulationsFound, BadRegulation, BadCursor))
async def regulations(
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
    kinds = [kind_of(each) for each in types] if types else None
    found, following = await request_erasure.requests(visit.space, [RequestInterface.SEGMENT], kinds, count, cursor)
    page = [listed(each) for each in found if status is None or request_status.segment(each) == status]
    pages = {"current": cursor, "next": following, "totalEntries": None}
    return answer(request, {"data": {"regulations": page, "pagination": pages}})


@router.get("/v1/regulations/{regulate_id}", **_described(RegulationFound, RequestNotFound))
async def regulation(request: Request, visit: ByPrivacy, regulate_id: Segment) -> Response:
    """How far a regulation is."""
    found = await request_erasure.get(visit.space, _id(regulate_id))
    return answer(request, {"data": {"regulation": shown(found, public("spc", visit.space.public_id))}})


@router.delete("/v1/regulations/{regulate_id}", **_described(RegulationFound, RequestNotFound, AlreadyErased))
async def cancel(request: Request, visit: ByPrivacy, regulate_id: Segment) -> Response:
    """Give up what waits for a hold; what was done stays done."""
    left = await request_erasure.cancel(visit.space, _id(regulate_id), visit.caller.key_id)
    return answer(request, {"data": {"regulation": shown(left, public("spc", visit.space.public_id))}})


def _id(text: str) -> bytes:
    id_ = private("req", text)
    if id_ is None:
        raise RequestNotFound
    return id_
