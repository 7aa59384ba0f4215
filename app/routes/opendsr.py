"""OpenDSR, under its three names, over the one engine. A request is done here before it is answered."""

import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Request, Response

from app.http.auth import ByPrivacy
from app.http.body import decode
from app.http.openapi import described
from app.http.responses import Segment
from app.schemas.opendsr import DsrDiscovery, DsrMade, DsrRequest, DsrStatus
from app.schemas.opendsr_status import status_of
from identity.operations.privacy import export_person, request_erasure
from identity.planning.privacy import opendsr, request_kinds
from identity.planning.privacy.deadlines import due
from identity.values.enums import RequestInterface, RequestKind
from identity.values.errors import (
    AlreadyErased,
    BadCallback,
    BadIdentifier,
    BadRegulation,
    RequestBegun,
    RequestExists,
    RequestNotFound,
    Undelivered,
)

router = APIRouter(tags=["OpenDSR"], prefix="/opendsr/v1")
NAMES = ("opendsr_requests", "opengdpr_requests", "opencompliance_requests")
_HEADERS = ("X-OpenDSR-Processor-Domain", "X-OpenGDPR-Processor-Domain", "X-OpenCompliance-Processor-Domain")


def answer(request: Request, document: object, status: int = 200) -> Response:
    """An answer that names the processor, under each of the names."""
    headers = dict.fromkeys(_HEADERS, _domain(request))
    return Response(msgspec.json.encode(document), status, headers, "application/json")


@router.get("/discovery", **described(DsrDiscovery))
async def discovery(request: Request, visit: ByPrivacy) -> Response:
    """What may be asked for, and by what people may be named."""
    assert visit
    return answer(request, opendsr.discovery(_domain(request)))


@router.get("/status", **described(DsrDiscovery))
async def up(request: Request, visit: ByPrivacy) -> Response:
    """That requests are taken."""
    assert visit
    return answer(request, {**opendsr.discovery(_domain(request)), "status": "ok"})


async def ask(request: Request, visit: ByPrivacy) -> Response:
    """Take a request about a person; the same request again is the same request."""
    raw, now = await request.body(), time.time_ns() // 1000
    subject = opendsr.read(decode(raw), now)
    await _vet(visit, subject.callbacks)
    details = {"controller_id": subject.controller, "callbacks": subject.callbacks}
    kind = RequestKind.SUPPRESS_WITH_DELETE if subject.type == opendsr.ERASURE else RequestKind.ACCESS
    asked = request_kinds.Asked(
        RequestInterface.OPENDSR, kind, subject.regulation, subject.identifiers, visit.caller.key_id,
        idempotency=f"opendsr {subject.id.hex()}", request_id=subject.id, details=details,
        received_at=subject.submitted_at,
    )  # fmt: skip
    try:
        if kind == RequestKind.ACCESS:
            await export_person.ask(visit.space, asked)
            visit.onefold.jobs.wake()
        else:
            await request_erasure.ask(visit.space, asked)
    except BadIdentifier:
        message = "An identity_value is not usable as its identity_type; nothing was done."
        raise BadRegulation(message) from None
    return answer(request, opendsr.made(subject, raw, due(subject.regulation, subject.submitted_at)), 201)


async def follow(request: Request, visit: ByPrivacy, subject_request_id: Segment) -> Response:
    """How far a request is."""
    found = await _found(visit, subject_request_id)
    return answer(request, await status_of(visit.space, found, visit.onefold.settings.public_url))


async def cancel(request: Request, visit: ByPrivacy, subject_request_id: Segment) -> Response:
    """Give a request up that waits; one that is done is past that."""
    found = await _found(visit, subject_request_id)
    if found.kind == RequestKind.ACCESS:
        raise RequestBegun
    return answer(
        request, opendsr.status(await request_erasure.cancel(visit.space, found.id, visit.caller.key_id)), 202
    )


for _name in NAMES:
    _one = f"/{_name}/{{subject_request_id}}"
    router.post(f"/{_name}", **described(DsrMade, BadRegulation, RequestExists, status=201, takes=DsrRequest))(ask)
    router.get(_one, **described(DsrStatus, RequestNotFound))(follow)
    router.delete(_one, **described(DsrStatus, RequestNotFound, AlreadyErased, RequestBegun, status=202))(cancel)


async def _found(visit: ByPrivacy, text: str) -> request_kinds.Request:
    try:
        found = await request_erasure.get(visit.space, opendsr.request_id(text))
    except BadRegulation:
        raise RequestNotFound from None
    if found.front != RequestInterface.OPENDSR:
        raise RequestNotFound
    return found


async def _vet(visit: ByPrivacy, urls: Sequence[str]) -> None:
    """Refuses addresses that must not be called. One that cannot be looked up now may be by the time it is called."""
    for url in urls:
        try:
            await visit.onefold.callbacks.vet(url)
        except BadCallback as error:
            raise BadRegulation(f"status_callback_urls: {error}") from None
        except Undelivered:
            continue


def _domain(request: Request) -> str:
    known = request.app.state.onefold.settings.public_url
    return urlsplit(known or str(request.base_url)).hostname or ""
