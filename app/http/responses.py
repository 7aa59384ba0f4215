"""Shared by all native routes: the types of path and query parameters, and how an answer is written."""

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Response
from pydantic import AfterValidator
from starlette.types import Receive, Scope, Send

from app.http.asgi import decoded
from app.http.auth import Visit
from identity.operations.spaces import record_read
from identity.values.ids import ProfileId, public_profile

Segment = Annotated[str, Path(), AfterValidator(decoded)]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Cursor = Annotated[str | None, Query(max_length=500)]
DEFAULT_LIMIT = 100


def answer(document: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")


class Streamed(Response):
    """An answer that is sent as it is generated; an error breaks it off, so that the client notices."""

    def __init__(self, pieces: AsyncGenerator[bytes], media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(media_type=media_type, headers=dict(headers))
        del self.headers["content-length"]
        self.pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the answer."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            await self.pieces.aclose()
        await send({"type": "http.response.body", "body": b""})


def no_content() -> Response:
    """Return an answer without content."""
    return Response(status_code=204)


async def audit_read(visit: Visit, action: str, profile_id: ProfileId | None) -> None:
    """Record in the ledger what an employee's key read; the reads of a service are not recorded."""
    if visit.audited:
        subject = None if profile_id is None else public_profile(profile_id)
        await record_read.note(visit.space, visit.caller.key_id, action, subject)
