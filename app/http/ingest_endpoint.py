"""The collection routes, served as bare ASGI ahead of all other routes.

A 200 is sent only after the commit, and every error becomes a refusal that SDKs understand. For speed
this path makes no framework object: one dictionary look-up finds the route, one decoder reads the body,
and an accepted call gets an answer prepared at import.
"""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, NamedTuple

import msgspec

from app.http import cors
from app.http.auth import lacks_scope, secret
from app.http.body import Disconnected, decode_calls, encoding_of, read, too_deep
from app.http.error_responses import INTERNAL, Headers, Unreadable, failure, status_of, waiting
from app.http.mended_json import MendedBody
from app.server import logs
from app.server.process import Onefold
from identity.operations.ingest.request import LARGEST_ITEM, IngestRequest
from identity.operations.spaces.manage_spaces import Caller
from identity.planning.consent.signals.gpc import read_header
from identity.planning.resolution.call_requirements import REJECTIONS
from identity.planning.resolution.rejections import LOST_BODIES
from identity.values.calls import KINDS, Kind, Outcome, Source
from identity.values.enums import KeyScope
from identity.values.errors import BatchTooLong, OnefoldError, SpaceNotFound, Unauthorised
from identity.values.stamps import wall_time

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SCOPES: Final = frozenset({KeyScope.WRITE, KeyScope.IMPORT, KeyScope.ADMIN})
TOO_LARGE: Final = f"The call is too large; a call may have at most {LARGEST_ITEM} bytes."
_OK: Final = b'{"success":true}'
_SERVER_ERROR: Final = 500
_WRITE_KEY: Final = re.compile(rb'"writeKey"\s*:\s*"([A-Za-z0-9_-]{1,200})"')
_log = logs.get(__name__)


class Route(NamedTuple):
    """A collection route: its path, the kind of its calls (None: each call names its own), whether they are history."""

    template: str
    kind: Kind | None = None
    history: bool = False


def _routes() -> dict[str, Route]:
    long = {f"/v1/{kind}": Route(f"/v1/{kind}", kind) for kind in KINDS}
    short = {f"/v1/{kind[0]}": Route(f"/v1/{kind[0]}", kind) for kind in KINDS}
    many = {path: Route(path) for path in ("/v1/batch", "/v1/b")}
    found = {**long, **short, **many, "/v1/import": Route("/v1/import", history=True)}
    return found | {f"{path}/": route for path, route in found.items()}


ROUTES: Final = _routes()


class PreparedAnswer(NamedTuple):
    """An answer that is ready to be sent; `code` is the error code of a refusal."""

    status: int
    start: Message
    body: Message
    code: str | None = None


def _prepared(status: int, content: bytes, headers: Headers, code: str | None = None) -> PreparedAnswer:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        *headers,
    ]
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return PreparedAnswer(status, start, {"type": "http.response.body", "body": content}, code)


_ACCEPTED: Final = _prepared(200, _OK, [])
_PREFERRED: Final = [(b"preference-applied", b"return=representation")]


class IngestEndpoint:
    """Serves the collection routes of a running Onefold."""

    def __init__(self, onefold: Onefold) -> None:
        self._onefold = onefold

    async def __call__(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        try:
            answer = await self._answer(route, scope, receive)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 (the outermost step answers and logs every error)
            answer = _refusal(error)
        await send(_with_cors(answer.start, scope))
        await send(answer.body)
        seconds = time.perf_counter() - started
        self._onefold.metrics.observe_answer(scope["method"], route.template, answer.status, seconds)
        if answer.code is not None:
            self._onefold.metrics.count_refusal(answer.code)
            log = _log.error if answer.status >= _SERVER_ERROR else _log.info
            log(
                "collect.refused",
                route=route.template,
                status=answer.status,
                code=answer.code,
                ms=round(seconds * 1000, 1),
            )

    async def _answer(self, route: Route, scope: Scope, receive: Receive) -> PreparedAnswer:
        if scope["method"] != "POST":
            return _refused(405, "method_not_allowed", "Collection routes support POST only.", [(b"allow", b"POST")])
        headers = dict(scope["headers"])
        raw, counted = b"", set[int]()
        try:
            encoding = encoding_of(scope["headers"]) if b"content-encoding" in headers else None
            raw = await read(receive, encoding, headers.get(b"content-length"))
            caller, request = await self._read(route, headers, raw, counted)
            if b"sec-gpc" in headers:
                request.gpc = self._opts_out(scope["headers"], caller)
        except (Unreadable, BatchTooLong) as error:
            await self._list_lost_body(error.code, headers.get(b"authorization"), raw, counted)
            raise
        if len(request.bodies) > 1:
            # The limit of requests covers single calls already.
            self._onefold.limits.calls(caller, len(request.bodies))
        space = await self._onefold.spaces.get(caller.space_id)
        outcomes = await self._onefold.ingest_queue.submit(space, request)
        self._onefold.metrics.count_outcomes(outcomes)
        if route.kind is not None and outcomes[0].status == "rejected":
            return _rejected(outcomes[0])
        preferred = headers.get(b"prefer")
        if preferred is not None and caller.server and _wants_outcomes(preferred):
            content = msgspec.json.encode({"success": True, "outcomes": outcomes})
            return _prepared(200, content, _PREFERRED)
        return _ACCEPTED

    async def _read(
        self, route: Route, headers: dict[bytes, bytes], raw: bytes, counted: set[int]
    ) -> tuple[Caller, IngestRequest]:
        """Return who sends a body, and its calls. `counted` gets the key for which the request is counted."""
        caller = await self._by_header(headers.get(b"authorization"))
        if caller is not None:
            self._count(caller, counted)
        mended = decode_calls(raw)
        if type(mended.body) is not dict:
            raise Unreadable("not_an_object", "The body is not a JSON object; send one.")
        if caller is None:
            caller = await self._by_body(mended.body)
            self._count(caller, counted)
        if caller.scopes.isdisjoint(SCOPES):
            raise lacks_scope(caller, SCOPES)
        return caller, _ingest_request(route, mended, caller, size=len(raw))

    def _count(self, caller: Caller, counted: set[int]) -> None:
        """Count a request for a key, once. RateLimited."""
        if caller.key not in counted:
            counted.add(caller.key)
            self._onefold.limits.collect(caller)

    def _opts_out(self, headers: Headers, caller: Caller) -> bool | None:
        """Return whether the person behind a browser opts out, None for a header that cannot be read.

        The header of a server is no person's choice.
        """
        opts_out = read_header(value for name, value in headers if name == b"sec-gpc")
        if not caller.server:
            return opts_out
        if opts_out:
            self._onefold.metrics.count_ignored_gpc()
        return False

    async def _list_lost_body(self, code: str, authorization: bytes | None, raw: bytes, counted: set[int]) -> None:
        """List a body of which no call is read, for the key in its header or, as far as found, in the body itself."""
        if code not in LOST_BODIES and code != "not_an_object":
            return
        found = _WRITE_KEY.search(raw)
        try:
            caller = await self._by_header(authorization)
            if caller is None:
                caller = await self._by_body({"writeKey": None if found is None else found[1].decode("ascii")})
        except OnefoldError:
            return
        if caller.scopes.isdisjoint(SCOPES):
            return
        self._count(caller, counted)
        request = IngestRequest([None], source=Source(caller.key, caller.server), received=wall_time())
        request.outcomes[0] = Outcome(message_id=None, status="rejected", reason=code)
        await self._onefold.ingest_queue.submit(await self._onefold.spaces.get(caller.space_id), request)

    async def _by_header(self, authorization: bytes | None) -> Caller | None:
        """Return the caller named by the header. None without a header, or with a token that is no API key.

        SDKs that send an OAuth token put their write key into the body.
        """
        given = secret(authorization)
        if given is None:
            return None
        if authorization is not None and authorization[:7].lower() == b"bearer " and not given.startswith("of_"):
            return None
        return await self._onefold.keys.caller(given)

    async def _by_body(self, body: dict[str, Any]) -> Caller:
        key = body.get("writeKey")
        if key is None:
            items = body.get("batch")
            first = items[0] if isinstance(items, list) and items else None
            key = first.get("writeKey") if isinstance(first, dict) else None
        if not isinstance(key, str):
            raise Unauthorised
        return await self._onefold.keys.caller(key)


def _with_cors(start: Message, scope: Scope) -> Message:
    """Return the start of an answer with the headers that let a page of another origin read it.

    Only browsers send the origin of a page.
    """
    for name, value in scope["headers"]:
        if name == b"origin":
            return {**start, "headers": [*start["headers"], *cors.allowed(value)]}
    return start


def _ingest_request(route: Route, mended: MendedBody, caller: Caller, *, size: int) -> IngestRequest:
    received = wall_time()
    source = Source(caller.key, caller.server)
    body = mended.body
    if route.kind is not None:
        return IngestRequest(
            [body],
            source=source,
            received=received,
            kind=route.kind,
            size=size,
            mended=mended.items,
            mended_rest=mended.rest,
        )
    items = body.get("batch")
    if type(items) is not list:
        raise Unreadable("batch_not_a_list", 'The body has no batch; send {"batch": [...]} with a list of calls.')
    return IngestRequest(
        items,
        source=source,
        received=received,
        envelope=body,
        # A public key may not choose the time its calls were received at.
        history=route.history and caller.server,
        size=size,
        mended=mended.items,
        mended_rest=mended.rest,
    )


def _wants_outcomes(preferred: bytes) -> bool:
    return b"return=representation" in preferred.lower().replace(b" ", b"").replace(b'"', b"")


def _rejected(outcome: Outcome) -> PreparedAnswer:
    code = outcome.reason or "rejected"
    message = TOO_LARGE if code == "too_large" else REJECTIONS.get(code, "The call was rejected.")
    return _refused(400, code, f"{message} {outcome.hint}" if outcome.hint else message)


def _refused(status: int, code: str, message: str, headers: Headers | None = None) -> PreparedAnswer:
    return _prepared(status, failure(code, message), [*(headers or ()), *waiting(status)], code)


def _refusal(error: Exception) -> PreparedAnswer:
    """Return the answer to an error; an unforeseen error is logged with its place and answered with a constant."""
    if isinstance(error, (Unauthorised, SpaceNotFound)):
        return _refused(401, "invalid_write_key", str(Unauthorised()))
    if isinstance(error, RecursionError):
        error = too_deep()
    if isinstance(error, Unreadable):
        return _refused(408 if error.status == 408 else 400, error.code, str(error))  # noqa: PLR2004
    if isinstance(error, OnefoldError) and status_of(error) != _SERVER_ERROR:
        return _refused(status_of(error), error.code, str(error))
    _log.error("collect.failed", exc_info=error)
    return _refused(_SERVER_ERROR, "internal_error", INTERNAL)
