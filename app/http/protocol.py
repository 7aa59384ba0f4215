"""Bounds what uvicorn leaves unbounded in a connection: time, size and number.

The head of a request must arrive within ten seconds and 32 KiB. The number of connections is limited. After an
early answer a client may send only a little more of its body. A response the client stops reading is aborted.
A violation is answered with JSON that SDKs understand, and the connection is closed.
"""

import asyncio
import fcntl
import struct
import termios
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.http.error_responses import failure, waiting
from app.http.request_head import HeadFault, head_fault, parser_fault
from app.server.address_connections import PROBES, AddressConnections

HEAD_SECONDS: Final = 10.0
# A probe on a connection without room sends its request at once.
PROBE_SECONDS: Final = 2.0
HEAD_BYTES: Final = 32 * 1024
HEADERS: Final = 100
# After an early answer, a client that is still sending would not see it if the connection closed at once.
REST_SECONDS: Final = 5.0
REST_BYTES: Final = 4 * 1024 * 1024
# A response is aborted if the client read nothing of it between two checks.
CHECK_SECONDS: Final = 15.0

_LARGE: Final = "The head of the request is too large; send at most 32 KiB and 100 headers."
_LATE: Final = "The head of the request took too long to arrive; send it within 10 seconds."
_FULL: Final = "The server, or this address, has too many connections; use fewer, or try again shortly."
_NO_ROOM: Final = HeadFault(503, "too_many_connections", _FULL)


class _TooLarge(Exception):
    """The head of a request is larger than allowed."""


class _UnusableHead(Exception):
    """The head of a request is valid for the parser, and this server does not accept it."""

    def __init__(self, fault: HeadFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `limit_concurrency` of the configuration bounds how many connections there are."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._addresses: AddressConnections = getattr(config, "addresses", None) or AddressConnections(0)
        self._peer: str | None = None
        self._on_trial = False
        self._timer: asyncio.TimerHandle | None = None
        self._began = False  # a head is being read
        self._whole = True  # the last message was read to its end
        self._answering = False  # some request still waits for its answer
        self._known = False  # the parser reads a head for the second time
        self._head = self._raw = 0  # bytes of the headers, and bytes of an unfinished head
        self._rest = 0
        self._check: asyncio.TimerHandle | None = None
        self._unread_before: int | None = None  # unread bytes of the answers at the last check

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; where there are too many, put it on trial: a probe of the process is answered."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        has_room = self._addresses.enter(self._peer)
        full = self._most is not None and len(self.connections) - self._addresses.on_trial > self._most
        self._on_trial = full or not has_room
        if self._on_trial:
            self._addresses.try_out(id(self), self._late)
        self._arm(PROBE_SECONDS if self._on_trial else HEAD_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers, and give back the room of the connection."""
        self._disarm()
        if self._peer is not None:
            self._addresses.leave(self._peer)
            self._addresses.end_trial(id(self))
        if self._check is not None:
            self._check.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the bytes; invalid HTTP ends the connection."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        between = self._whole
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, _TooLarge):
                self._refuse(431, "head_too_large", _LARGE)
            elif isinstance(cause, _UnusableHead):
                self._refuse(*cause.fault)
            else:
                self._refuse(*parser_fault(error, data))
            return
        self._bound(len(data), between=between)

    def _feed(self, data: bytes) -> None:
        """Parse. The server supports no upgrade, so the request is answered as if it asked for none."""
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                self._resume_after_upgrade()
            else:
                return

    def _resume_after_upgrade(self) -> None:
        """Let a new parser read the body and what follows, which the parser that saw the upgrade leaves out."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        if framing := self._framing():
            lines = [b"POST / HTTP/1.1", *(name + b": " + value for name, value in framing)]
            self._known = True
            self.parser.feed_data(b"\r\n".join(lines) + b"\r\n\r\n")
            self._known = False

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [each for each in self.headers if each[0] in (b"content-length", b"transfer-encoding")]

    def _bound(self, size: int, *, between: bool) -> None:
        """Count the bytes of an unfinished message, and limit its time."""
        if not self._whole and not self._began:
            # The parser holds a trailer back until its end, so all bytes count, not only the body.
            self._rest += size
            if self._rest > REST_BYTES:
                self.transport.abort()
                return
        if self._began:
            # Bytes that arrive together with the end of another message cannot be attributed.
            self._raw += size if between or self._raw else 0
            if self._raw > HEAD_BYTES:
                self._refuse(431, "head_too_large", _LARGE)
            elif self._timer is None:
                self._arm(HEAD_SECONDS, self._late)
        elif self._whole and not self._answering and self._timer is None:
            # Any byte ends the wait for the next request; without a new timer the wait would be endless.
            self._arm(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        """Begin a head."""
        if self._known:
            return
        super().on_message_begin()
        self._disarm()
        self._began = True
        self._head = self._raw = 0
        self._whole = False
        self._rest = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count one header; trailers are ignored. Blanks around a value are no part of it."""
        if not self._began:
            return
        super().on_header(name, value.strip(b" \t"))
        self._head += len(name) + len(value)
        if len(self.headers) > HEADERS or self._head + len(self.url) > HEAD_BYTES:
            raise _TooLarge

    def on_headers_complete(self) -> None:
        """End the head; a head that cannot be used counts as unfinished."""
        if self._known:
            return
        self._disarm()
        if len(self.url) > HEAD_BYTES:
            raise _TooLarge
        fault = head_fault(self.parser.get_http_version(), self.headers)
        if fault is not None:
            raise _UnusableHead(fault)
        if self._on_trial and self.url.partition(b"?")[0] not in PROBES:
            raise _UnusableHead(_NO_ROOM)
        super().on_headers_complete()
        if self._on_trial:
            self.cycle.keep_alive = False
            self._addresses.end_trial(id(self))
        self._began = False
        self._answering = True

    def on_body(self, body: bytes) -> None:
        """Pass on a part of a body; the rest of a body that was answered already is dropped."""
        if not self.cycle.response_complete:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the message, unless it asks for an upgrade: then its body still comes."""
        if self.parser.should_upgrade() and self._framing():
            return
        self._whole = True
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End the answer, which may come before the end of the message."""
        super().on_response_complete()
        self._watch()
        self._answering = not self.cycle.response_complete
        if self.cycle.response_complete and not self._whole and not self._began and not self.transport.is_closing():
            self._arm(REST_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        """Watch a client that reads slower than the answer is written."""
        super().pause_writing()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer in the shape of the collection surface, where uvicorn calls this."""
        self._refuse(400, "invalid_http", msg)

    def _late(self) -> None:
        if self._on_trial:
            self._refuse(*_NO_ROOM)
        elif self._began:
            self._refuse(408, "head_timeout", _LATE)
        else:
            self.transport.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer in the shape of the collection surface, as no path is known, and close the connection."""
        self._disarm()
        in_body = not self._whole and not self._began
        if in_body and not self.pipeline and not self.cycle.response_started:
            # The application still waits for the body; mark the client as disconnected, so that it stops.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif in_body or self._answering:
            # A refusal may not come in the middle of another answer, nor after an early answer.
            self.transport.close()
            return
        content = failure(code, message)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
            *waiting(status),
        ]
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + content)
        self._watch()
        self.transport.close()

    def _watch(self) -> None:
        """Start, or restart, to check whether the client reads what was written."""
        self._unread_before = None
        if self._check is None:
            self._check = self.loop.call_later(CHECK_SECONDS, self._check_reader)

    def _check_reader(self) -> None:
        self._check = None
        if not self.transport.get_write_buffer_size():
            return
        left = self._unread()
        if left == self._unread_before:
            self.transport.abort()
            return
        self._unread_before = left
        self._check = self.loop.call_later(CHECK_SECONDS, self._check_reader)

    def _unread(self) -> int:
        """Return how many bytes the client has not read, with those in the buffers of the kernel."""
        left = self.transport.get_write_buffer_size()
        try:
            queued = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        except OSError:
            return left
        return left + int(struct.unpack("i", queued)[0])

    def _arm(self, seconds: float, do: Callable[[], None]) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, do)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
