"""A destination's receiver on loopback: accepts what its library verifies, and keeps every message."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.webhooks.tls_server import OK, Server, serving

FAILING = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"
HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<p>Hello!</p>"


class Receiver:
    """The messages in order: their ids and bodies, and what the receiver holds after all of them.

    `answer` is what everybody is answered, `secrets` are believed (none: everything is), `forged` counts
    what was not; what arrives at `/status` is in `statuses`. `before` is called with each message that is
    believed, before it is answered; `raw` with the body and headers of everything.
    """

    def __init__(self) -> None:
        self.server = Server()
        self.answer = OK
        self.secrets: list[str] = []
        self.ids: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.forged = 0
        self.held: dict[str, Any] = {}
        self.before: Callable[[dict[str, Any]], None] = lambda _: None
        self.raw: Callable[[bytes, dict[str, str]], None] = lambda *_: None

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url()

    @property
    def ops(self) -> list[str]:
        """The operations of all messages, in order."""
        return [line["op"] for message in self.messages for line in message["changes"]]

    @property
    def cursor(self) -> str:
        """The place after the last message."""
        cursor: str = self.messages[-1]["cursor"]
        return cursor

    async def act(self, writer: asyncio.StreamWriter) -> None:
        """Takes the request that came, and answers."""
        head, _, body = self.server.requests[-1].partition(b"\r\n\r\n")
        lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
        headers = {name.decode().lower(): value.decode() for name, _, value in lines}
        self.raw(body, headers)
        if head.startswith(b"POST /status "):
            self.statuses.append(json.loads(body))
        elif self._believes(headers, body):
            message = json.loads(body)
            self.before(message)
            self.ids.append(headers["webhook-id"])
            self.messages.append(message)
            if self.answer != FAILING:
                self._apply(message)
        else:
            self.forged += 1
        writer.write(self.answer)
        await writer.drain()

    def _believes(self, headers: dict[str, str], body: bytes) -> bool:
        for secret in self.secrets:
            with contextlib.suppress(WebhookVerificationError):
                Webhook(secret).verify(body, headers)
                return True
        return not self.secrets

    def _apply(self, message: dict[str, Any]) -> None:
        if message.get("resync"):
            self.held.clear()
        for line in message["changes"]:
            for id_ in line["other_profile_ids"] if line["op"] != "unmerge" else ():
                self.held.pop(id_, None)
            if line["op"] == "upsert":
                self.held[line["profile_id"]] = line["traits"]
            elif line["op"] in ("withdraw", "erase"):
                self.held.pop(line["profile_id"], None)


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Runs a receiver in a thread of its own."""
    receiver = Receiver()
    loop = asyncio.new_event_loop()
    up, down = threading.Event(), asyncio.Event()

    async def main() -> None:
        async with serving(receiver.act) as server:
            receiver.server = server
            up.set()
            await down.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    assert up.wait(30)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(down.set)
        thread.join()
        loop.close()
