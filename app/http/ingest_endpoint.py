"""The collection routes, served as bare ASGI ahead of all other routes.

A 200 is sent only after the commit, and every error becomes a refusal that SDKs understand. For speed
this path makes no framework object: one dictionary look-up finds the route, one decoder reads the body,
and an accepted call gets an answer prepared at import.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import msgspec

from app.http.body import Disconnected, decode_calls
from app.http.collection.prepared_answers import (
    ACCEPTED,
    PREFERRED,
    SERVER_ERROR,
    PreparedAnswer,
    prepared,
    refusal,
    refused,
    rejected,
    with_cors,
)
from app.http.collection.sender import Sender
from app.http.error_responses import Headers, Unreadable
from app.http.mended_json import MendedBody
from app.http.repeated_members import decode_batch
from app.server import logs
from app.server.address_budget import AddressBudget
from app.server.process import Onefold
from identity.operations.ingest.request import IngestRequest
from identity.operations.spaces.manage_spaces import Caller
from identity.planning.consent.signals.gpc import read_header
from identity.planning.resolution.rejections import LOST_BODIES
from identity.values.calls import KINDS, Kind, Outcome, Source
from identity.values.errors import BatchTooLong
from identity.values.fields.beside_batch import lost_without_batch
from identity.values.plain_text import shown
from identity.values.stamps import wall_time

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_OFF_THE_LOOP: Final = 64 * 1024
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


class IngestEndpoint:
    """Serves the collection routes of a running Onefold."""

    def __init__(self, onefold: Onefold) -> None:
        self._onefold = onefold
        settings = onefold.settings
        self._budget = AddressBudget(-(-settings.unknown_key_kib * 1024 // settings.workers))
        # One thread: large bodies wait for each other, and small ones for none of them.
        self._decoding = ThreadPoolExecutor(1, "decode")

    async def __call__(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        try:
            answer = await self._answer(route, scope, receive)
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 (the outermost step answers and logs every error)
            answer = refusal(error)
        await send(with_cors(answer.start, scope))
        await send(answer.body)
        seconds = time.perf_counter() - started
        self._onefold.metrics.observe_answer(scope["method"], route.template, answer.status, seconds)
        if answer.code is not None:
            self._onefold.metrics.count_refusal(answer.code)
            log = _log.error if answer.status >= SERVER_ERROR else _log.info
            log(
                "collect.refused",
                route=route.template,
                status=answer.status,
                code=answer.code,
                ms=round(seconds * 1000, 1),
            )

    async def _answer(self, route: Route, scope: Scope, receive: Receive) -> PreparedAnswer:
        if scope["method"] != "POST":
            return refused(405, "method_not_allowed", "Collection routes support POST only.", [(b"allow", b"POST")])
        headers = dict(scope["headers"])
        sender = Sender(self._onefold, self._budget, scope)
        try:
            raw = await sender.read(receive)
            mended = await self._decoded(raw, of_calls=route.kind is None)
            caller = await sender.confirm(mended.body)
            request = _ingest_request(route, mended, caller, size=len(raw))
            if b"sec-gpc" in headers:
                request.gpc = self._opts_out(scope["headers"], caller)
        except (Unreadable, BatchTooLong) as error:
            if sender.caller is not None:
                await self._list_lost_body(error.code, sender.caller)
            raise
        if len(request.bodies) > 1:
            # The limit of requests covers single calls already.
            self._onefold.limits.calls(caller, len(request.bodies))
        space = await self._onefold.spaces.get(caller.space_id)
        outcomes = await self._onefold.ingest_queue.submit(space, request)
        self._onefold.metrics.count_outcomes(outcomes)
        if route.kind is not None and outcomes[0].status == "rejected":
            return rejected(outcomes[0])
        preferred = headers.get(b"prefer")
        if preferred is not None and caller.server and _wants_outcomes(preferred):
            content = msgspec.json.encode({"success": True, "outcomes": outcomes})
            return prepared(200, content, PREFERRED)
        return ACCEPTED

    async def _decoded(self, raw: bytes, *, of_calls: bool) -> MendedBody:
        """Parse a body, `of_calls` one with a batch; a large one in a thread, so that the other requests go on.

        Unreadable.
        """
        decode = decode_batch if of_calls else decode_calls
        if len(raw) <= _OFF_THE_LOOP:
            mended = decode(raw)
        else:
            mended = await asyncio.get_running_loop().run_in_executor(self._decoding, decode, raw)
        if type(mended.body) is not dict:
            raise Unreadable("not_an_object", "The body is not a JSON object; send one.")
        return mended

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

    async def _list_lost_body(self, code: str, caller: Caller) -> None:
        """List a body of which no call is read, for the key that sent it."""
        if code not in LOST_BODIES and code != "not_an_object":
            return
        request = IngestRequest([None], source=Source(caller.key_number, caller.server), received=wall_time())
        request.outcomes[0] = Outcome(message_id=None, status="rejected", reason=code)
        await self._onefold.ingest_queue.submit(await self._onefold.spaces.get(caller.space_id), request)


def _ingest_request(route: Route, mended: MendedBody, caller: Caller, *, size: int) -> IngestRequest:
    received = wall_time()
    source = Source(caller.key_number, caller.server)
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
    other = lost_without_batch(body) if not items or type(items) is not list else None
    if other is not None:
        raise Unreadable("batch_not_a_list", f'{shown(other)} is not read; send {{"batch": [...]}} with all calls.')
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
