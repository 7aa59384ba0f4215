"""Access: asking for everything held about a person, following that, and fetching it, once."""

from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from app.http.auth import ByPrivacy
from app.http.openapi import body, described
from app.http.responses import Segment, Streamed, answer
from app.schemas.privacy import Export, Exported, ExportMade, NewExport
from identity.operations.privacy import export_person
from identity.operations.spaces.answers import JobStatus
from identity.planning.privacy import request_kinds
from identity.planning.privacy.access_export import WRITERS
from identity.values.enums import AccessExportState, Law, RequestInterface, RequestKind
from identity.values.errors import (
    BadIdentifier,
    ExportNotFound,
    IdempotencyConflict,
    JobNotFound,
    TooManyAsked,
)
from identity.values.ids import public

router = APIRouter(tags=["Privacy"])
_FAILED = "failed"
Wait = Annotated[float, Query(ge=0, le=30, description="How long to wait for its end, in seconds.")]


@router.post(
    "/v1/exports",
    **described(ExportMade, BadIdentifier, TooManyAsked, IdempotencyConflict, status=202, takes=NewExport),
)
async def export(
    visit: ByPrivacy,
    wanted: Annotated[NewExport, Depends(body(NewExport))],
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Gather everything held about people, as a job. The same Idempotency-Key is the same request."""
    regulation = Law[wanted.regulation.upper()]
    actor = visit.caller.key_id
    asked = request_kinds.Asked(
        RequestInterface.NATIVE, RequestKind.ACCESS, regulation, wanted.identifiers, actor, idempotency_key
    )
    made = await export_person.ask(visit.space, asked)
    visit.onefold.jobs.wake()
    job_id = public("job", made.job_id)
    try:
        _, job = await visit.onefold.jobs.follow(visit.space, job_id)
    except JobNotFound:
        # Asked for so long ago that its job was swept.
        job = JobStatus(job_id, "done", 0, 0)
    told = {"export_id": public("exp", made.id), "request_id": public("req", made.request_id)}
    progress = {"job_id": job.job_id, "state": job.state, "done": job.done, "total": job.total}
    address = export_person.address(visit.onefold.settings.public_url, made)
    return answer({**told, **progress, "unknown": made.unknown, "download_url": address}, 202)


@router.get("/v1/exports/{export_id}", **described(Export, ExportNotFound))
async def follow(visit: ByPrivacy, export_id: Segment, wait: Wait = 0) -> Response:
    """How far an export is; 404 once it was fetched, is too old, or somebody in it was erased."""
    told = await export_person.get(visit.space, export_id)
    job = None
    # A job that was swept is over, and the export has its result.
    with suppress(JobNotFound):
        _, job = await visit.onefold.jobs.follow(visit.space, told["job_id"], wait)
    if wait:
        told = await export_person.get(visit.space, export_id)
    progress = {"done": job.done if job else 0, "total": job.total if job else 0}
    if told["state"] == AccessExportState.RUNNING.label and job and job.state == _FAILED:
        told["state"] = _FAILED
    return answer({**told, **progress})


_DOWNLOAD = described(Exported, ExportNotFound)
_DOWNLOAD["responses"][200]["content"]["text/csv"] = {"schema": {"type": "string"}}


@router.get("/v1/exports/{export_id}/download", **_DOWNLOAD)
async def fetch(
    request: Request,
    visit: ByPrivacy,
    export_id: Segment,
    ticket: Annotated[str, Query(max_length=100)] = "",
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Fetch an export, once, as a document or as a table; it is destroyed with that."""
    if "head" in request.scope:
        # Whoever only looks whether it is there must not use it up.
        return Response(status_code=405, headers={"allow": "GET"})
    pieces = await export_person.fetch(visit.space, export_id, ticket, form, visit.caller.key_id)
    name = f'attachment; filename="{export_id}.{form}"'
    return Streamed(pieces, WRITERS[form].media_type, {"content-disposition": name, "cache-control": "no-store"})
