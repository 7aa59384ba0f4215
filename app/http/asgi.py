"""The ASGI front: passes collection routes to the ingest endpoint and all others to FastAPI.

A path is matched as it was sent and its parts are decoded afterwards, so that an identifier may
contain any character. No answer repeats the text of an unforeseen error, and no log line contains
a path, only the template of its route.
"""

import time
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI

from app.http import body, cors, segment_profile_api
from app.http.auth import destination
from app.http.body import Disconnected
from app.http.error_responses import INTERNAL, Headers, Unreadable, WrongMethod, error_body
from app.http.ingest_endpoint import ROUTES, IngestEndpoint, Message, Receive, Scope, Send
from app.http.paths.known_paths import KnownPaths
from app.server import logs
from app.server.process import Onefold
from identity.values.errors import BadInput

UNMATCHED: Final = "unmatched"
METRICS: Final = "/v1/m"
SIGNED: Final = "/v1/callbacks/"
_SAFE: Final = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_NOT_ENCODED: Final = "A part of the path is not percent-encoded UTF-8; encode it as RFC 3986 says."
_PARTIAL: Final = "A PUT replaces the whole document; send all of it, without the Content-Range header."
_COMPRESSED: Final = (
    "This route takes no compressed body; send it without Content-Encoding. Only the collection routes, such as "
    "/v1/batch and /v1/import, take gzip."
)
_log = logs.get(__name__)


class Front:
    """The ASGI application: `ingest_endpoint` serves the collection routes, `api` all others."""

    def __init__(self, onefold: Onefold, api: FastAPI) -> None:
        self.onefold = onefold
        self.api = api
        self.ingest_endpoint = IngestEndpoint(onefold)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the process."""
        if scope["type"] != "http":
            await self.api(scope, receive, send)
            return
        route = ROUTES.get(scope["path"])
        if scope["method"] == "OPTIONS" and (route is not None or cors.covers(scope["path"])):
            await _preflight(scope, send)
        elif route is not None:
            await self.ingest_endpoint(route, scope, receive, send)
        else:
            # A HEAD is served as a GET; uvicorn leaves out the body.
            head = {"method": "GET", "head": True} if scope["method"] == "HEAD" else {}
            await self._native({**scope, **head}, receive, send)

    async def _native(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_SAFE]
                message["headers"] += _of_surface(scope)
            await send(message)

        path = scope["raw_path"].decode("latin-1")
        scope["path"] = METRICS if path == f"{METRICS}/" else path
        known: KnownPaths = self.api.state.paths
        try:
            try:
                if known.shadowed(path, scope["method"]):
                    raise WrongMethod(", ".join(sorted(known.methods(path))), scope["method"], path)
                limit = body.MESSAGE_LIMIT if path.startswith(SIGNED) else body.BODY_LIMIT
                length = _header(scope, b"content-length")
                _require_whole_put(scope)
                _require_plain(scope)
                receive = _whole(await body.read(receive, None, length, limit))
            except Unreadable as error:
                scope["onefold.code"] = error.code
                await _send(sending, scope["path"], error.status, error.code, str(error), error.headers)
            else:
                await self.api(scope, receive, sending)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 (the outermost step answers and logs every error)
            _log.error("request.failed", route=_template(scope), exc_info=error)
            if not status:
                await _send(sending, scope["path"], 500, "internal_error", INTERNAL)
        self._log_answer(scope, status, time.perf_counter() - started)

    def _log_answer(self, scope: Scope, status: int, seconds: float) -> None:
        method, template = scope["method"], _template(scope)
        self.onefold.metrics.observe_answer(method, template, status, seconds)
        if not 200 <= status < 300:  # noqa: PLR2004
            (_log.error if status >= 500 else _log.info)(  # noqa: PLR2004
                "request.refused",
                method=method,
                route=template,
                status=status,
                code=scope.get("onefold.code"),
                **self._who(scope),
                ms=round(seconds * 1000, 1),
            )

    def _who(self, scope: Scope) -> dict[str, str | None]:
        """The space and the destination of the key that made a request, as far as they are known."""
        caller = scope.get("onefold.caller")
        if caller is None:
            return {}
        found = {"space": self.onefold.spaces.name_in_logs(caller.space_id), "destination": destination(caller)}
        return {name: value for name, value in found.items() if value}


def decoded(part: str) -> str:
    """Decode one part of a path. BadInput if it is not percent-encoded UTF-8 text."""
    if not all(_HEX.issuperset(piece[:2]) and len(piece) > 1 for piece in part.split("%")[1:]):
        raise BadInput(_NOT_ENCODED)
    try:
        text = unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise BadInput(_NOT_ENCODED) from None
    if "\0" in text:
        raise BadInput("A part of the path contains the character U+0000, which cannot be stored; remove it.")
    return text


def _of_surface(scope: Scope) -> Headers:
    """Return the headers that every answer of a surface carries."""
    path = scope["path"]
    if segment_profile_api.covers(path):
        return [segment_profile_api.request_id()]
    if cors.covers(path):
        return cors.allowed(_header(scope, b"origin"))
    return []


async def _preflight(scope: Scope, send: Send) -> None:
    headers = cors.preflight(dict(scope["headers"]))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _template(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", UNMATCHED)


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    value: bytes | None = next((value for name, value in scope["headers"] if name == wanted), None)
    return value


def _require_plain(scope: Scope) -> None:
    """Refuse a compressed body: the native surface inflates nothing. SDK metrics are dropped unread."""
    if scope["path"] != METRICS and body.encoding_of(scope["headers"]) is not None:
        raise Unreadable("unsupported_encoding", _COMPRESSED, 415)


def _require_whole_put(scope: Scope) -> None:
    """Refuse a PUT of a part, as RFC 9110 asks where no resource takes parts; taken whole it would destroy the rest."""
    if scope["method"] == "PUT" and _header(scope, b"content-range") is not None:
        raise Unreadable("partial_put", _PARTIAL)


def _whole(content: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


async def _send(send: Send, path: str, status: int, code: str, detail: str, more: Headers | None = None) -> None:
    content, media_type = error_body(path, status, code, detail)
    headers: list[tuple[bytes, Any]] = [
        *(more or ()),
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
