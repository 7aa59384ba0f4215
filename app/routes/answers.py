"""What all native routes share: how an answer is written, and how a part of a path is read."""

from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Response
from pydantic import AfterValidator

from app.auth import Visit
from app.front import decoded
from app.schemas import LISTED, MOST_LISTED
from identity.journeys import audit

Segment = Annotated[str, Path(), AfterValidator(decoded)]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
Cursor = Annotated[str | None, Query(max_length=500)]
DEFAULT_LIMIT = LISTED


def answer(document: Any, status: int = 200) -> Response:
    """A JSON answer, encoded as it stands."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def done() -> Response:
    """Nothing to say but that it is done."""
    return Response(status_code=204)


async def note(visit: Visit, action: str, profile_id: str | None) -> None:
    """Writes into the audit what an employee's key read; a service's reads are not written down."""
    if visit.audited:
        await audit.note(visit.space, visit.caller.key_id, action, profile_id)
