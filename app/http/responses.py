"""What all native routes share: how an answer is written, and how a part of a path is read."""

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Response
from pydantic import AfterValidator
from starlette.types import Receive, Scope, Send

from app.http.asgi import decoded
from app.http.auth import Visit
from identity.operations.spaces import record_read

Segment = Annotated[str, Path(), AfterValidator(decoded)]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Cursor = Annotated[str | None, Query(max_length=500)]
DEFAULT_LIMIT = 100


def answer(document: Any, status: int = 200) -> Response:
    """A JSON answer, encoded as it stands."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")


class Streamed(Response):
    """An answer that is written as it is made; one that cannot be finished breaks off, and is seen to."""

    def __init__(self, pieces: AsyncGenerator[bytes], media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(media_type=media_type, headers=dict(headers))
        del self.headers["content-length"]
        self.pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Writes it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            await self.pieces.aclose()
        await send({"type": "http.response.body", "body": b""})


def done() -> Response:
    """Nothing to say but that it is done."""
    return Response(status_code=204)


async def note(visit: Visit, action: str, profile_id: str | None) -> None:
    """Writes into the audit what an employee's key read; a service's reads are not written down."""
    if visit.audited:
        await record_read.note(visit.space, visit.caller.key_id, action, profile_id)
