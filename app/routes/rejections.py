"""The list of rejected calls and of calls accepted in part, for the admin of a space."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.http.auth import ByAdmin
from app.http.openapi import described
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, answer, audit_read
from app.schemas.rejections import RejectionPage, rejection_page
from identity.operations.integrity import list_rejections as operation
from identity.values.errors import BadCursor, BadParameter

router = APIRouter(tags=["Rejections"])
Since = Annotated[str | None, Query(description="Only calls that arrived at this time (RFC 3339) or later.")]


@router.get("/v1/rejections", **described(RejectionPage, BadCursor, BadParameter))
async def list_rejections(
    visit: ByAdmin, since: Since = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """Calls that were rejected, suppressed or unresolved, and calls with demoted identifiers; newest first."""
    await audit_read(visit, "rejections.read", None)
    return answer(rejection_page(await operation.list_rejections(visit.space, since, limit, cursor)))
