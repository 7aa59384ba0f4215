"""A relay between an SDK and the server: counts requests, and drops or delays them as networks do.

The relay forwards the answers of Onefold. The refusals that a test asks for have the body and the headers of
Onefold's own.
"""

import http.client
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from app.http.error_responses import failure, waiting

Fault = Literal["refuse 503", "refuse 429", "cut after", "cut before", "spoil"]


class Seen(NamedTuple):
    """A request as it came, and what it was answered (0: the connection was cut)."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int


class Relay:
    """Listens on a port of its own; `faults` befall the next requests, one each."""

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url)
        self.faults: deque[Fault] = deque()
        self.seen: list[Seen] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                relay.handle(self)

            def log_message(self, *_args: object) -> None:
                """Logs nothing."""

        return Handler

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """One request, with its fault if one is due."""
        body = _body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        fault = self.faults.popleft() if self.faults else None
        answer: tuple[int, dict[str, str], bytes] | None = None
        if fault in ("refuse 503", "refuse 429"):
            retry = {name.decode(): value.decode() for name, value in waiting(429)}
            answer = int(fault[-3:]), retry, failure("unavailable", "Try again shortly.")
        elif fault != "cut before":
            answer = self._forward(request, body[:-3] if fault == "spoil" else body, headers)
        if fault == "cut after":
            answer = None
        # Recorded before the answer: once an SDK has its answer, the test reads what was seen.
        self.seen.append(Seen(request.path, headers, body, 0 if answer is None else answer[0]))
        if answer is None:
            request.close_connection = True
        else:
            _answer(request, *answer)

    def _forward(
        self, request: BaseHTTPRequestHandler, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes] | None:
        connection = http.client.HTTPConnection(self.target.hostname or "", self.target.port, timeout=120)
        try:
            passed = {k: v for k, v in headers.items() if k not in ("host", "connection", "transfer-encoding")}
            connection.request("POST", request.path, body, {**passed, "content-length": str(len(body))})
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in ("content-length", "connection")}
            return answer.status, kept, answer.read()
        except (OSError, http.client.HTTPException):
            return None  # the server is away: the client sees its connection end
        finally:
            connection.close()


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("transfer-encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("content-length", "0")))
    body = b""
    while size := int(request.rfile.readline(), 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def _answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
