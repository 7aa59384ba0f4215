"""Access exports: requesting everything held about a person, following the job, downloading it once."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from app.http.auth import ByPrivacy, Visit
from app.http.idempotency import IdempotencyKey
from app.http.openapi import body, described
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, Segment, Streamed, answer
from app.routes.corrections import JOIN_REFUSALS, cut_by
from app.schemas.exports.access_exports import (
    Export,
    Exported,
    ExportMade,
    Exports,
    NewExport,
    export_made,
    export_status,
    exports_page,
)
from identity.operations.ingest.keep_denials import keep_denials
from identity.operations.privacy.access_exports.download_export import download_export
from identity.operations.privacy.access_exports.request_export import get_export, list_exports, request_export
from identity.planning.privacy.access_export import WRITERS
from identity.planning.privacy.privacy_requests import NewRequest
from identity.values.calls import Source
from identity.values.enums import AccessExportState, JobState, Law, RequestInterface, RequestKind
from identity.values.errors import (
    BadCursor,
    BadIdentifier,
    ExportNotFound,
    IdempotencyConflict,
    JobNotFound,
    TooManyAsked,
)
from identity.values.ids import JobId, private
from identity.values.unknown_names import UnknownType

router = APIRouter(tags=["Privacy"])
Wait = Annotated[float, Query(ge=0, le=30, description="How long to wait for its end, in seconds.")]


class _Progress(NamedTuple):
    state: str
    done: int
    total: int


@router.post(
    "/v1/exports",
    **described(
        ExportMade,
        BadIdentifier,
        UnknownType,
        TooManyAsked,
        IdempotencyConflict,
        *JOIN_REFUSALS,
        status=202,
        takes=NewExport,
    ),
)
async def create_access_export(
    visit: ByPrivacy,
    wanted: Annotated[NewExport, Depends(body(NewExport))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Export everything held about people, as a job. The same Idempotency-Key is the same request."""
    request = NewRequest(
        front=RequestInterface.NATIVE,
        kind=RequestKind.ACCESS,
        regulation=Law[wanted.regulation.upper()],
        identifiers=wanted.identifiers,
        actor=visit.caller.key_id,
        idempotency=idempotency_key,
        public_joins=wanted.public_joins,
    )

    async def cut(side: Sequence[str]) -> object:
        source = Source(visit.caller.key_number, server=True)
        await keep_denials(visit.space, visit.onefold.ingest_queue, side, source)
        return await cut_by(visit)(side)

    made = await request_export(visit.space, request, cut)
    visit.onefold.jobs.wake()
    progress = await _progress(visit, made.job_id) or _Progress(JobState.DONE.label, 0, 0)
    return answer(export_made(made, *progress, visit.onefold.settings.public_url), 202)


@router.get("/v1/exports", **described(Exports, BadCursor))
async def list_access_exports(visit: ByPrivacy, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """The exports that are not downloaded, expired or destroyed, the newest first."""
    return answer(exports_page(*await list_exports(visit.space, limit, cursor)))


@router.get("/v1/exports/{export_id}", **described(Export, ExportNotFound))
async def get_access_export(visit: ByPrivacy, export_id: Segment, wait: Wait = 0) -> Response:
    """The progress of an export; 404 once it is downloaded, expired, or a person in it was erased."""
    id_ = private("exp", export_id)
    status = await get_export(visit.space, id_)
    progress = await _progress(visit, status.job_id, wait) or _Progress("", 0, 0)
    if wait:
        status = await get_export(visit.space, id_)
    failed = status.state == AccessExportState.RUNNING and progress.state == JobState.FAILED.label
    return answer(export_status(status, failed=failed, done=progress.done, total=progress.total))


_DOWNLOAD = described(Exported, ExportNotFound)
_DOWNLOAD["responses"][200]["content"]["text/csv"] = {"schema": {"type": "string"}}


@router.get("/v1/exports/{export_id}/download", **_DOWNLOAD)
async def download_access_export(
    request: Request,
    visit: ByPrivacy,
    export_id: Segment,
    ticket: Annotated[str, Query(max_length=100)] = "",
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Download an export, once, as a document or as a table; the download destroys it."""
    if "head" in request.scope:
        # A client that only checks for the export must not use up its ticket.
        return Response(status_code=405, headers={"allow": "GET"})
    pieces = await download_export(visit.space, export_id, ticket, form, visit.caller.key_id)
    name = f'attachment; filename="{export_id}.{form}"'
    return Streamed(pieces, WRITERS[form].media_type, {"content-disposition": name, "cache-control": "no-store"})


async def _progress(visit: Visit, job_id: JobId, wait: float = 0) -> _Progress | None:
    """The progress of the job of an export; None once the job was deleted, long after its end."""
    try:
        job = await visit.onefold.jobs.follow(visit.space, job_id, wait)
    except JobNotFound:
        return None
    return _Progress(job.state.label, job.done, job.total)
