"""HTTP as it comes off the wire: what uvicorn leaves open is bounded here.

A client has ten seconds for the head of a request and 32 KiB to put it in, there are so many
connections and no more, one that was answered before its body had arrived may send only a little
more of it, and who takes nothing of an answer for long loses it. Whatever is wrong is answered
with JSON that SDKs understand, then closed.
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

HEAD_SECONDS: Final = 10.0
HEAD_BYTES: Final = 32 * 1024
HEADERS: Final = 100
# After an early answer: a client that is still sending would not see it if the connection just went.
REST_SECONDS: Final = 5.0
REST_BYTES: Final = 4 * 1024 * 1024
# An answer of which nothing was taken at two looks in a row is given up.
LOOK_SECONDS: Final = 15.0

_LARGE: Final = "The head of a request may have at most 32 KiB and 100 headers."
_LATE: Final = "The head of the request took too long to arrive."
_FULL: Final = "There are too many connections; try again shortly."
_ODD: Final = "This is not a valid HTTP/1.1 request."


class _TooLarge(Exception):
    """The head is larger than it may be."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `limit_concurrency` of the configuration bounds how many there are."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._timer: asyncio.TimerHandle | None = None
        self._began = False  # a head is being read
        self._whole = True  # the last message was read to its end
        self._answering = False  # some request still waits for its answer
        self._known = False  # the parser is fed a head that was read before
        self._head = self._raw = 0  # of the head: its headers, and all bytes of one that is not whole yet
        self._rest = 0
        self._look: asyncio.TimerHandle | None = None
        self._left: int | None = None  # of the answers, at the last look

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes a connection, or refuses it where there are too many."""
        super().connection_made(transport)
        if self._most is not None and len(self.connections) > self._most:
            self._refuse(503, "too_many_connections", _FULL)
        else:
            self._arm(HEAD_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of the timers."""
        self._disarm()
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads on; what is no HTTP ends the connection."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        between = self._whole
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _TooLarge):
                self._refuse(431, "head_too_large", _LARGE)
            else:
                self._refuse(400, "invalid_http", _ODD)
            return
        self._bound(len(data), between=between)

    def _feed(self, data: bytes) -> None:
        """Parses. An upgrade is to a protocol not spoken here: what was asked for is answered all the same."""
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                self._go_on()
            else:
                return

    def _go_on(self) -> None:
        """A new parser reads the body, which the one that saw the upgrade has left out, and what follows."""
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
        """Counts what came of a message that is not whole yet, and sets the time it has."""
        if not self._whole and not self._began:
            # The parser keeps a trailer to its end, so it is the bytes that are counted, not the body.
            self._rest += size
            if self._rest > REST_BYTES:
                self.transport.abort()
                return
        if self._began:
            # Of what came with the end of another message nobody knows the part.
            self._raw += size if between or self._raw else 0
            if self._raw > HEAD_BYTES:
                self._refuse(431, "head_too_large", _LARGE)
            elif self._timer is None:
                self._arm(HEAD_SECONDS, self._late)
        elif self._whole and not self._answering and self._timer is None:
            # Any byte has ended the wait for the next request; without this one it would never end.
            self._arm(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._known:
            return
        super().on_message_begin()
        self._disarm()
        self._began = True
        self._head = self._raw = 0
        self._whole = False
        self._rest = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, as long as it is not one too many; a trailer is none."""
        if not self._began:
            return
        super().on_header(name, value)
        self._head += len(name) + len(value)
        if len(self.headers) > HEADERS or self._head + len(self.url) > HEAD_BYTES:
            raise _TooLarge

    def on_headers_complete(self) -> None:
        """The head is there; where it cannot be used, it is still one that has only begun."""
        if self._known:
            return
        self._disarm()
        if len(self.url) > HEAD_BYTES:
            raise _TooLarge
        super().on_headers_complete()
        self._began = False
        self._answering = True

    def on_body(self, body: bytes) -> None:
        """A part of a body; one that was answered already is read on for a little while."""
        if not self.cycle.response_complete:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The message is there; of one that asks for an upgrade the parser has left out the body."""
        if self.parser.should_upgrade() and self._framing():
            return
        self._whole = True
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is out, maybe before the message was in."""
        super().on_response_complete()
        self._watch()
        self._answering = not self.cycle.response_complete
        if self.cycle.response_complete and not self._whole and not self._began and not self.transport.is_closing():
            self._arm(REST_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        """The client is slower than the answer."""
        super().pause_writing()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Never called by this class; kept in its shape."""
        self._refuse(400, "invalid_http", msg)

    def _late(self) -> None:
        if self._began:
            self._refuse(408, "head_timeout", _LATE)
        else:
            self.transport.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answers in the shape of the collection surface, as no path is known, and closes."""
        self._disarm()
        in_body = not self._whole and not self._began
        if in_body and not self.pipeline and not self.cycle.response_started:
            # The application still waits for the body, and is told that it will not come.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif in_body or self._answering:
            # Nothing may be written into the middle of an answer, and none after one that came early.
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
        """Begins to look whether the client takes what was written, or begins anew."""
        self._left = None
        if self._look is None:
            self._look = self.loop.call_later(LOOK_SECONDS, self._look_at_reader)

    def _look_at_reader(self) -> None:
        self._look = None
        if not self.transport.get_write_buffer_size():
            return
        left = self._untaken()
        if left == self._left:
            self.transport.abort()
            return
        self._left = left
        self._look = self.loop.call_later(LOOK_SECONDS, self._look_at_reader)

    def _untaken(self) -> int:
        """Bytes that the client has not taken. The kernel's are counted too: it asks for more in large steps."""
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
