"""Turns errors into answers: one table from domain errors to statuses, and the shape of each surface.

No answer repeats a value of the request. A message is a constant, most often the docstring of its error; some messages
name a field, a parameter, a type, a purpose or a scope of the request, and then only a name that cannot well be a
value: `shown` in `identity.values.unknown_names` decides. The native surface answers RFC 9457 documents. The collection
surface answers what SDKs understand: an SDK that finds no `code` and `message` in a refusal sends the batch again.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.http import segment_profile_api
from app.http.parameter_errors import describe_faults
from app.http.paths.guessed_paths import guessed_route, route_for
from app.http.paths.known_paths import KnownPaths
from app.schemas.problems import Problem, entry_problems
from app.server.rate_limits import TooManyMisses
from identity.operations.spaces.manage_spaces import Caller
from identity.planning.consent.decision_refusals import BeforeErasure
from identity.planning.corrections.waiting_claims import JoinDoesNotFit, JoinNotFound, JoinNotWaiting
from identity.planning.privacy.cancel_refusals import AlreadyLifted, AlreadySuppressed
from identity.planning.privacy.hold_refusals import ErasureWaits, UnderHold
from identity.planning.privacy.public_joins import PublicJoinsFound
from identity.values import errors, not_ready
from identity.values.enums import KeyScope
from identity.values.extras import ExtraNotInstalled
from identity.values.identity_tokens.refusals import BadIdentityKey, IdentityKeyNotFound, TooManyIdentityKeys
from identity.values.unknown_names import (
    BadIdentifiers,
    EntryFault,
    NoneAsked,
    UnknownParameter,
    UnknownPurpose,
    UnknownType,
)

STATUS: Final[dict[type[errors.OnefoldError], int]] = {
    errors.OnefoldError: 500,
    errors.BadInput: 400,
    errors.BadIdentifier: 400,
    BadIdentifiers: 400,
    UnknownType: 422,
    UnknownPurpose: 422,
    UnknownParameter: 400,
    errors.BadRules: 422,
    errors.BadPurposes: 422,
    BadIdentityKey: 422,
    errors.BadDestination: 422,
    errors.BadDecisions: 422,
    errors.Suppressed: 409,
    BeforeErasure: 409,
    errors.Resync: 410,
    errors.DestinationNotFound: 404,
    errors.CallbackRepeated: 409,
    errors.BadSignal: 422,
    errors.BadCursor: 400,
    errors.BadParameter: 400,
    errors.BadCall: 400,
    errors.BatchTooLong: 400,
    errors.TooMuch: 413,
    errors.NotConfirmed: 400,
    errors.NotOneProfile: 422,
    NoneAsked: 422,
    errors.TooManyAsked: 422,
    errors.BadRegulation: 422,
    errors.BadCallback: 422,
    errors.Refused: 409,
    errors.NotLinked: 409,
    ErasureWaits: 409,
    UnderHold: 409,
    PublicJoinsFound: 409,
    JoinNotFound: 404,
    JoinNotWaiting: 409,
    JoinDoesNotFit: 409,
    errors.LastIdentifier: 409,
    errors.TooManyCuts: 409,
    TooManyIdentityKeys: 409,
    errors.IdempotencyConflict: 409,
    errors.RequestExists: 409,
    errors.AlreadyErased: 409,
    AlreadySuppressed: 409,
    AlreadyLifted: 409,
    errors.ReceiptPending: 409,
    errors.RequestBegun: 409,
    errors.ExportNotConfigured: 409,
    errors.NotExtensible: 409,
    errors.AlreadyExtended: 409,
    errors.NotFound: 404,
    errors.ProfileNotFound: 404,
    errors.GroupNotFound: 404,
    errors.IdentifierNotFound: 404,
    errors.JobNotFound: 404,
    errors.SpaceNotFound: 404,
    errors.KeyNotFound: 404,
    IdentityKeyNotFound: 404,
    errors.RequestNotFound: 404,
    errors.ErasureNotFound: 404,
    errors.HoldNotFound: 404,
    errors.ExportNotFound: 404,
    errors.Unauthorised: 401,
    errors.InvalidSignature: 401,
    errors.Forbidden: 403,
    errors.Busy: 429,
    not_ready.SimulationWaits: 429,
    errors.RateLimited: 429,
    TooManyMisses: 429,
    errors.QueueFull: 429,
    errors.Unavailable: 503,
    errors.KeyUnavailable: 503,
    not_ready.KeysOutdated: 503,
    not_ready.SpaceLockDiffers: 503,
    errors.KeyRenamed: 503,
    errors.SealBroken: 503,
    errors.Undelivered: 503,
    errors.DatabaseUnavailable: 503,
    not_ready.NotWriting: 503,
    not_ready.RolledBack: 503,
    not_ready.DestinationPaused: 503,
    errors.ShuttingDown: 503,
    errors.Quarantined: 503,
    errors.LedgerBroken: 503,
    errors.Conflict: 503,
    errors.LeaseLost: 503,
    errors.PartitionMissing: 503,
    ExtraNotInstalled: 501,
    errors.Misconfigured: 500,
}
# The seconds that a client should wait: a full queue empties fast, an outage does not.
RETRY_AFTER: Final = {429: 1, 503: 5}
REGULATIONS: Final = "/v1/regulations"
OPENDSR: Final = "/opendsr/"
PROBLEM: Final = "application/problem+json"
INTERNAL: Final = "Internal error; see the server log."
_OF_HTTP: Final = {
    404: ("not_found", "No route has this path; see /openapi.json for all routes."),
    405: ("method_not_allowed", ""),
}

_WRONG_METHOD: Final = "This path does not support this method; the path supports {}."
Headers = list[tuple[bytes, bytes]]


class Unreadable(Exception):
    """A body that cannot be accepted; `status` is that of the native surface."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.headers: Headers = []


def wrong_method(allowed: str, method: str, path: str) -> str:
    """The message to a request with a method that its path lacks."""
    hint = route_for(method, path)
    return _WRONG_METHOD.format(allowed) + ("" if hint is None else f" {hint}")


class WrongMethod(Unreadable):
    """A request for a known path with a method that the path does not have; `allowed` lists those that it has."""

    def __init__(self, allowed: str, method: str, path: str) -> None:
        super().__init__("method_not_allowed", wrong_method(allowed, method, path), 405)
        self.headers = [(b"allow", allowed.encode())]


def status_of(error: errors.OnefoldError) -> int:
    """Return the status of an error: its own row, or the row of its nearest base class."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def waiting(status: int) -> Headers:
    """Return the headers that ask a client to wait, in the two forms that SDKs read."""
    seconds = RETRY_AFTER.get(status)
    if seconds is None:
        return []
    text = str(seconds).encode()
    return [(b"retry-after", text), (b"x-ratelimit-reset", text)]


def problem(status: int, code: str, detail: str, entries: Sequence[EntryFault] = ()) -> bytes:
    """Return an RFC 9457 problem document; `entries` are the faulty entries of a list."""
    made = Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, code=code)
    if entries:
        made.errors = entry_problems(entries)
    return msgspec.json.encode(made)


def error_body(path: str, status: int, code: str, detail: str, entries: Sequence[EntryFault] = ()) -> tuple[bytes, str]:
    """Return an error in the shape of the surface that a path belongs to, with its media type."""
    if segment_profile_api.covers(path):
        return segment_profile_api.failure(status, code, detail), "application/json"
    if path == REGULATIONS or path.startswith(REGULATIONS + "/"):
        made = {"errors": [{"type": code.replace("_", "-"), "message": detail}], "code": code, "detail": detail}
        return msgspec.json.encode(made), "application/json"
    if path.startswith(OPENDSR):
        part = {"domain": "opendsr", "reason": code, "message": detail}
        return msgspec.json.encode({"error": {"code": status, "message": detail, "errors": [part]}}), "application/json"
    return problem(status, code, detail, entries), PROBLEM


def failure(code: str, message: str) -> bytes:
    """Return a refusal in the shape of the collection surface."""
    return msgspec.json.encode({"success": False, "code": code, "message": message})


def handle(api: FastAPI) -> None:
    """Register handlers that turn every error of the native surface into a problem document."""
    for kind, handler in (
        (errors.OnefoldError, _of_domain),
        (Unreadable, _of_body),
        (RequestValidationError, _of_parameters),
        (HTTPException, _of_http),
        (Exception, _unforeseen),
    ):
        api.add_exception_handler(kind, handler)


def _answer(
    request: Request,
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str],
    entries: Sequence[EntryFault] = (),
) -> Response:
    request.scope["onefold.code"] = code
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and request.scope["path"].startswith(OPENDSR):
        # OpenDSR answers every request that is invalid with 400.
        status = HTTPStatus.BAD_REQUEST
    headers |= {name.decode(): value.decode() for name, value in waiting(status)}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    content, media_type = error_body(request.scope["path"], status, code, detail, entries)
    return Response(content, status, headers, media_type)


async def _of_domain(request: Request, error: Any) -> Response:
    if isinstance(error, errors.SpaceNotFound) and not request.url.path.startswith("/v1/spaces"):
        # The space of the key was deleted a moment ago, and the key with it.
        error = errors.Unauthorised()
    caller: Caller | None = request.scope.get("onefold.caller")
    if caller is not None and isinstance(error, (errors.ProfileNotFound, errors.GroupNotFound)):
        over = request.app.state.onefold.limits.missed(caller)
        error = TooManyMisses() if over else error
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        # The message is not meant for the caller: the outermost step logs it and answers a constant.
        raise error
    entries: Sequence[EntryFault] = getattr(error, "entries", ())
    lists_holds = caller is not None and KeyScope.PRIVACY in caller.scopes
    detail = error.named if isinstance(error, UnderHold) and lists_holds else str(error)
    return _answer(request, status, error.code, detail, {}, entries)


async def _of_body(request: Request, error: Any) -> Response:
    return _answer(request, error.status, error.code, str(error), {})


async def _of_parameters(request: Request, error: Any) -> Response:
    """Name the parameters and what each may be, never their values."""
    status = 400 if segment_profile_api.covers(request.scope["path"]) else 422
    message = describe_faults(request.scope.get("route"), error.errors())
    return _answer(request, status, "invalid_request", message, {})


async def _unforeseen(request: Request, _error: Any) -> Response:
    """Answer a constant; Starlette raises the error again, and the outermost step logs it."""
    return _answer(request, 500, "internal_error", INTERNAL, {})


async def _of_http(request: Request, error: Any) -> Response:
    code, detail = _OF_HTTP.get(error.status_code, ("refused", HTTPStatus(error.status_code).phrase))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names the methods of one route; a path may have several.
        allowed = ", ".join(sorted(_known(request).methods(request.scope["path"])))
        headers = {name: value for name, value in headers.items() if name.lower() != "allow"} | {"allow": allowed}
        detail = wrong_method(allowed, request.method, request.scope["path"])
    elif error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"{detail} {_nearest_route(request)}".strip()
    return _answer(request, error.status_code, code, detail, headers)


def _known(request: Request) -> KnownPaths:
    known: KnownPaths = request.app.state.paths
    return known


def _nearest_route(request: Request) -> str:
    known, path = _known(request), request.scope["path"]
    near = known.differently_begun(path) or guessed_route(path, request.method) or known.nearest(path)
    return "" if near is None else f"Did you mean {near}?"
