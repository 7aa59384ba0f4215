"""OpenDSR under its name and its older names. A request is carried out before it is answered."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Request, Response

from app.http.auth import ByPrivacy
from app.http.openapi import described, schema_of
from app.http.repeated_members import decode_document
from app.http.responses import Segment
from app.schemas.opendsr import (
    DsrDiscovery,
    DsrError,
    DsrMade,
    DsrRequest,
    DsrStatus,
    DsrUp,
    dsr_discovery,
    dsr_made,
    dsr_status,
    dsr_up,
)
from identity.operations.privacy.access_exports.request_export import request_export
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.opendsr_repeat import differing_fields, differing_members, request_details
from identity.operations.privacy.opendsr_status import opendsr_status
from identity.operations.privacy.read_requests import get_request
from identity.operations.privacy.read_subjects import require_bare
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy import opendsr
from identity.planning.privacy.opendsr_repeat import request_kind
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.values.enums import RequestInterface, RequestKind
from identity.values.errors import (
    AlreadyErased,
    BadCallback,
    BadIdentifier,
    BadRegulation,
    IdempotencyConflict,
    OnefoldError,
    RequestBegun,
    RequestExists,
    RequestNotFound,
    TooManyAsked,
    Undelivered,
)
from identity.values.stamps import wall_time

router = APIRouter(tags=["OpenDSR"], prefix="/opendsr/v1")
NAMES = ("opendsr_requests", "requests", "opengdpr_requests", "opencompliance_requests")
_UNUSED = 422
_TAKEN = "subject_request_id: a different request has this id already{}; send this request with a new UUID."
_HEADERS = ("X-OpenDSR-Processor-Domain", "X-OpenGDPR-Processor-Domain", "X-OpenCompliance-Processor-Domain")


def _described(shape: type, *refusals: type[OnefoldError], status: int = 200, takes: type | None = None) -> Any:
    """The documentation of a route: errors have the shape of OpenDSR, and 400 replaces 422."""
    made = described(shape, *refusals, status=status, takes=takes)
    error = {"application/json": schema_of(DsrError)}
    texts: dict[int, list[str]] = {}
    for each, text in made["responses"].items():
        if each != status:
            texts.setdefault(400 if each == _UNUSED else each, []).append(text["description"])
    refused = {each: {"description": ", ".join(texts[each]), "content": error} for each in sorted(texts)}
    rest = {"description": "Any other error.", "content": error}
    made["responses"] = {status: made["responses"][status], **refused, "default": rest}
    return made


def answer(request: Request, document: object, status: int = 200) -> Response:
    """An answer that names the processor, in a header of each name."""
    headers = dict.fromkeys(_HEADERS, _domain(request))
    return Response(msgspec.json.encode(document), status, headers, "application/json")


@router.get("/discovery", **_described(DsrDiscovery))
async def get_open_dsr_discovery(request: Request, visit: ByPrivacy) -> Response:
    """The supported types of requests and of identities."""
    assert visit
    return answer(request, dsr_discovery(_domain(request)))


@router.get("/status", **_described(DsrUp))
async def get_open_dsr_status_of_service(request: Request, visit: ByPrivacy) -> Response:
    """The supported types, and that requests are accepted."""
    assert visit
    return answer(request, dsr_up(_domain(request)))


async def create_open_dsr_request(request: Request, visit: ByPrivacy) -> Response:
    """Carry out a request about a person; the same request again has the same results, and any other is refused."""
    raw, now = await request.body(), wall_time()
    subject = opendsr.read(decode_document(raw), now)
    await require_bare(visit.space, subject.identifiers, "subject_identities", ".identity_value")
    await _vet(visit, subject.callbacks)
    kind = request_kind(subject)
    new = NewRequest(
        front=RequestInterface.OPENDSR,
        kind=kind,
        regulation=subject.regulation,
        identifiers=subject.identifiers,
        actor=visit.caller.key_id,
        idempotency=f"opendsr {subject.id.hex()}",
        request_id=subject.id,
        details=request_details(visit.space, subject, now),
        received_at=subject.submitted_at,
    )
    try:
        if kind == RequestKind.ACCESS:
            await request_export(visit.space, new)
            visit.onefold.jobs.wake()
            first = await get_request(visit.space, subject.id)
        else:
            first = await request_erasure(visit.space, new)
    except (IdempotencyConflict, RequestExists):
        raise _taken(await differing_fields(visit.space, subject)) from None
    except BadIdentifier as error:
        raise BadRegulation(str(error).replace("identifiers[", "subject_identities[")) from None
    except TooManyAsked as error:
        raise type(error)(str(error).replace("identifiers", "subject_identities")) from None
    differing = differing_members(visit.space, subject, first)
    if differing:
        raise _taken(differing)
    # The same request again is answered with the time of its first receipt.
    received_at = (first.details or {}).get("received", first.received_at)
    status = await opendsr_status(visit.space, first)
    return answer(request, dsr_made(subject, raw, received_at, status), 201)


async def get_open_dsr_request(request: Request, visit: ByPrivacy, subject_request_id: Segment) -> Response:
    """The status of a request."""
    found = await _found(visit, subject_request_id)
    return await _status(request, visit, found)


async def cancel_open_dsr_request(request: Request, visit: ByPrivacy, subject_request_id: Segment) -> Response:
    """Cancel a request that waits; a finished one cannot be cancelled."""
    found = await _found(visit, subject_request_id)
    if found.kind == RequestKind.ACCESS:
        raise RequestBegun
    return await _status(request, visit, await cancel_request(visit.space, found.id, visit.caller.key_id), 202)


for _name in NAMES:
    _one = f"/{_name}/{{subject_request_id}}"
    router.post(f"/{_name}", **_described(DsrMade, BadRegulation, RequestExists, status=201, takes=DsrRequest))(
        create_open_dsr_request
    )
    router.get(_one, **_described(DsrStatus, RequestNotFound))(get_open_dsr_request)
    router.delete(_one, **_described(DsrStatus, RequestNotFound, AlreadyErased, RequestBegun, status=202))(
        cancel_open_dsr_request
    )


async def _status(request: Request, visit: ByPrivacy, found: PrivacyRequest, status: int = 200) -> Response:
    value = await opendsr_status(visit.space, found)
    return answer(request, dsr_status(value, visit.onefold.settings.public_url), status)


async def _found(visit: ByPrivacy, text: str) -> PrivacyRequest:
    try:
        found = await get_request(visit.space, opendsr.parse_request_id(text))
    except BadRegulation:
        raise RequestNotFound from None
    if found.front != RequestInterface.OPENDSR:
        raise RequestNotFound
    return found


def _taken(differing: Sequence[str]) -> RequestExists:
    return RequestExists(_TAKEN.format(f", which differs in {', '.join(differing)}" if differing else ""))


async def _vet(visit: ByPrivacy, urls: Sequence[str]) -> None:
    """Reject addresses that must not be called. An address that does not resolve now may resolve later."""
    for url in urls:
        try:
            await visit.onefold.callbacks.vet(url, visit.space.public_id)
        except BadCallback as error:
            raise BadRegulation(f"status_callback_urls: {error}") from None
        except Undelivered:
            continue


def _domain(request: Request) -> str:
    known = request.app.state.onefold.settings.public_url
    return urlsplit(known or str(request.base_url)).hostname or ""
