"""The answers of the collection routes, in the shapes that SDKs understand.

An accepted call gets an answer prepared at import; an error becomes a refusal that repeats nothing of the request.
"""

from collections.abc import MutableMapping
from typing import Any, Final, NamedTuple

from app.http import cors
from app.http.body import too_deep
from app.http.error_responses import INTERNAL, Headers, Unreadable, failure, status_of, waiting
from app.server import logs
from identity.operations.ingest.request import LARGEST_ITEM
from identity.planning.resolution.call_requirements import REJECTIONS
from identity.values.calls import Outcome
from identity.values.errors import OnefoldError, SpaceNotFound, Unauthorised

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]

TOO_LARGE: Final = f"The call is too large; a call may have at most {LARGEST_ITEM} bytes."
SERVER_ERROR: Final = 500
_OK: Final = b'{"success":true}'
_log = logs.get(__name__)


class PreparedAnswer(NamedTuple):
    """An answer that is ready to be sent; `code` is the error code of a refusal."""

    status: int
    start: Message
    body: Message
    code: str | None = None


def prepared(status: int, content: bytes, headers: Headers, code: str | None = None) -> PreparedAnswer:
    """An answer of any status; `code` is the error code of a refusal."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        *headers,
    ]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return PreparedAnswer(status, start, {"type": "http.response.body", "body": content}, code)


ACCEPTED: Final = prepared(200, _OK, [])
PREFERRED: Final = [(b"preference-applied", b"return=representation")]


def with_cors(start: Message, scope: Scope) -> Message:
    """Return the start of an answer with the headers that let a page of another origin read it.

    Only browsers send the origin of a page.
    """
    for name, value in scope["headers"]:
        if name == b"origin":
            return {**start, "headers": [*start["headers"], *cors.allowed(value)]}
    return start


def rejected(outcome: Outcome) -> PreparedAnswer:
    """The answer to a single call that is rejected."""
    code = outcome.reason or "rejected"
    message = TOO_LARGE if code == "too_large" else REJECTIONS.get(code, "The call was rejected.")
    return refused(400, code, f"{message} {outcome.hint}" if outcome.hint else message)


def refused(status: int, code: str, message: str, headers: Headers | None = None) -> PreparedAnswer:
    """A refusal with its stable code."""
    return prepared(status, failure(code, message), [*(headers or ()), *waiting(status)], code)


def refusal(error: Exception) -> PreparedAnswer:
    """Return the answer to an error; an unforeseen error is logged with its place and answered with a constant."""
    if isinstance(error, (Unauthorised, SpaceNotFound)):
        return refused(401, "invalid_write_key", str(Unauthorised()))
    if isinstance(error, RecursionError):
        error = too_deep()
    if isinstance(error, Unreadable):
        return refused(408 if error.status == 408 else 400, error.code, str(error))  # noqa: PLR2004
    if isinstance(error, OnefoldError) and status_of(error) != SERVER_ERROR:
        return refused(status_of(error), error.code, str(error))
    _log.error("collect.failed", exc_info=error)
    return refused(SERVER_ERROR, "internal_error", INTERNAL)
