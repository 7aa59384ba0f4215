"""The status of an OpenDSR request, for answers and callbacks alike."""

from msgspec import Struct
from msgspec.structs import replace

from identity.operations.privacy.access_exports.request_export import RequestedExport, export_of_request, get_export
from identity.operations.privacy.public_joins import recorded_joins
from identity.planning.privacy.deadlines import due_date
from identity.planning.privacy.opendsr import StatusWord, status_word
from identity.planning.privacy.privacy_requests import PrivacyRequest
from identity.planning.privacy.request_status import all_found
from identity.spaces.space import Space
from identity.values.enums import AccessExportState, ErasureState
from identity.values.errors import ExportNotFound
from identity.values.stamps import Micros


class OpenDsrStatus(Struct, frozen=True):
    """A request, its status and due date (microseconds); `export` where its data can be downloaded.

    `found` is False where nobody had one of the identities, None until the request looked for them. A hold keeps
    `on_hold` people: their erasure waits, and an export lacks them. `public_joins` counts the identifiers that public
    keys alone had joined to the people.
    """

    request: PrivacyRequest
    word: StatusWord
    due_at: Micros
    found: bool | None
    on_hold: int
    public_joins: int = 0
    export: RequestedExport | None = None


async def opendsr_status(space: Space, request: PrivacyRequest) -> OpenDsrStatus:
    """The status of a request of any type."""
    joins = recorded_joins(request.details)
    public_joins = 0 if joins is None else joins.total
    export = await export_of_request(space, request.id)
    if export is None:
        due_at = max((each.due_at or request.received_at for each in request.erasures), default=request.received_at)
        return OpenDsrStatus(
            request=request,
            word=status_word(request),
            due_at=due_at,
            found=all_found(request),
            on_hold=sum(each.state == ErasureState.ON_HOLD for each in request.erasures),
            public_joins=public_joins,
        )
    due_at = due_date(request.regulation, request.received_at) or request.received_at
    status = OpenDsrStatus(
        request=request,
        word="completed",
        due_at=due_at,
        found=export.found,
        on_hold=export.on_hold,
        public_joins=public_joins,
    )
    try:
        ready = (await get_export(space, export.id)).state != AccessExportState.RUNNING
    except ExportNotFound:
        # Downloaded, expired, or destroyed by an erasure since: the request was answered.
        return status
    return replace(status, export=export) if ready else replace(status, word="in_progress")
