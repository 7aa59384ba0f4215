"""The list of rejected calls and of calls accepted in part, for the admin of a space."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response

from app.http.auth import ByAdmin, Visit
from app.http.openapi import described
from app.http.responses import DEFAULT_LIMIT, Cursor, Limit, answer, audit_read
from app.schemas.rejections import LostByDay, RejectionPage, lost_by_day, rejection_page
from identity.operations.integrity import list_rejections as operation
from identity.operations.integrity.listed_rejection import ALL_REASONS, RejectionFilter
from identity.spaces.named_identifiers import known_types
from identity.values.enums import StoredStatus, UnlinkedReason
from identity.values.errors import BadCursor, BadParameter
from identity.values.fields.ignored_fields import UNLISTED
from identity.values.identifiers import BUILT_IN
from identity.values.unknown_names import nearest

router = APIRouter(tags=["Rejections"])
Since = Annotated[str | None, Query(description="Only calls that arrived at this time (RFC 3339) or later.")]
Until = Annotated[str | None, Query(description="Only calls that arrived before this time (RFC 3339).")]
Reason = Annotated[str | None, Query(max_length=100, description="Only calls with this reason, of any of their parts.")]
Status = Annotated[Literal["rejected", "suppressed", "unresolved", "accepted"] | None, Query()]
Source = Annotated[str | None, Query(max_length=100, description="Only calls that the key with this id sent.")]


@router.get("/v1/rejections", **described(RejectionPage, BadCursor, BadParameter))
async def list_rejections(
    visit: ByAdmin,
    since: Since = None,
    until: Until = None,
    reason: Reason = None,
    status: Status = None,
    source: Source = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """Calls that were rejected, suppressed or unresolved, and calls that were accepted in part; newest first."""
    if reason is not None and reason not in ALL_REASONS:
        await _require_reason(visit, reason)
    wanted = RejectionFilter(reason, None if status is None else StoredStatus[status.upper()], source)
    await audit_read(visit, "rejections.read", None)
    found = await operation.list_rejections(visit.space, since, limit, cursor, until=until, wanted=wanted)
    return answer(rejection_page(found))


@router.get("/v1/rejections/summary", **described(LostByDay, BadCursor, BadParameter))
async def summarise_rejections(
    visit: ByAdmin, since: Since = None, until: Until = None, cursor: Cursor = None
) -> Response:
    """How much was lost, by day, source and reason."""
    await audit_read(visit, "rejections.read", None)
    return answer(lost_by_day(await operation.summarise_rejections(visit.space, since, until, cursor)))


_UNLISTED: Final = (
    "The query parameter `reason` names one that stands in outcomes alone (Prefer: return=representation), since SDKs "
    "send such fields on every call. No line of this list has it."
)


async def _require_reason(visit: Visit, reason: str) -> None:
    """Refuse a reason that no line can have: an unknown one, or the limit of an unknown type. BadParameter."""
    head, _, type_ = reason.partition(":")
    if reason in UNLISTED:
        raise BadParameter(_UNLISTED)
    meant: str | None
    if head == UnlinkedReason.LIMIT:
        types = {*await known_types(visit.space), *BUILT_IN}
        if type_ in types:
            return
        near = nearest(type_, types)
        meant = head if near is None else f"{head}:{near}"
    else:
        meant = nearest(head if head in ALL_REASONS else reason, ALL_REASONS)
    raise BadParameter(
        "The query parameter `reason` must be one of those in docs/reasons.md, such as invalid_email or limit:email."
        + ("" if meant is None else f" Did you mean {meant}?")
    )
