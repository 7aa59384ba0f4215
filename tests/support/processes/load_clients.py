"""Clients under load: each call is answered 200 in the end, or recorded as given up.

A request that got no 200 is sent again with the same messageIds, as SDKs do, or given up for good:
then it has to be in the database whole or not at all.
"""

import json
import random
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CLIENTS = 6
GIVEN_UP = 0.1
PEOPLE_AT_ONCE = 12
CALLS_PER_PERSON = 40
PAUSE = 0.02  # seconds after a request that failed, and of breath now and then


class Sent(NamedTuple):
    """A request: its path, its body, and the messageIds in it."""

    path: str
    body: bytes
    messages: tuple[str, ...]


class Load:
    """Threads that send calls about a few colliding people to `address`, which may change."""

    def __init__(self, key: str, seed: int, clients: int = CLIENTS) -> None:
        self.address = ""
        self.acknowledged: set[str] = set()
        self.given_up: list[Sent] = []
        self.unexpected: list[int] = []
        self._key = key
        self._made = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._client, args=(random.Random(seed + number),), daemon=True)
            for number in range(clients)
        ]

    def start(self, address: str) -> None:
        """Sends until `finish`."""
        self.address = address
        for thread in self._threads:
            thread.start()

    def finish(self, patience: float = 60) -> None:
        """No new requests; returns when each one sent was answered 200 or given up."""
        self._over.set()
        for thread in self._threads:
            thread.join(patience)
        assert not any(thread.is_alive() for thread in self._threads), "a client got no answer"

    def _client(self, chance: random.Random) -> None:
        connection: HTTPConnection | None = None
        while not self._over.is_set():
            request = self._request(chance)
            while True:
                connection, done = self._send(connection, request)
                if done:
                    break
                time.sleep(PAUSE)
                if chance.random() < GIVEN_UP:
                    with self._lock:
                        self.given_up.append(request)
                    break
            if chance.random() < 0.3:
                time.sleep(PAUSE)
        if connection:
            connection.close()

    def _send(self, connection: HTTPConnection | None, request: Sent) -> tuple[HTTPConnection | None, bool]:
        try:
            if connection is None:
                parts = urlsplit(self.address)
                connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
            connection.request("POST", request.path, request.body, {"Authorization": f"Bearer {self._key}"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            if connection:
                connection.close()
            return None, False
        if answer.status == 200:
            with self._lock:
                self.acknowledged.update(request.messages)
            return connection, True
        if answer.status not in (429, 503):
            with self._lock:
                self.unexpected.append(answer.status)
        return connection, False

    def _request(self, chance: random.Random) -> Sent:
        kind = chance.choice(["identify", "identify", "track", "page", "group", "alias", "batch", "batch"])
        if kind != "batch":
            call = self._call(chance, kind)
            return Sent(f"/v1/{kind}", json.dumps(call).encode(), (call["messageId"],))
        kinds = chance.choices(["identify", "track", "screen", "group", "alias"], k=chance.randint(2, 30))
        calls = [{"type": each, **self._call(chance, each)} for each in kinds]
        messages = tuple(call["messageId"] for call in calls)
        return Sent("/v1/batch", json.dumps({"batch": calls}).encode(), messages)

    def _call(self, chance: random.Random, kind: str) -> dict[str, Any]:
        with self._lock:
            self._made += 1
            number = self._made
        # People come and go: those of the moment meet in many calls, and the profiles stay small.
        person = number // CALLS_PER_PERSON + chance.randrange(PEOPLE_AT_ONCE)
        call: dict[str, Any] = {"messageId": f"m{number}", "anonymousId": f"a{person}.{chance.randrange(3)}"}
        if kind == "alias":
            return call | {"userId": f"u{person}", "previousId": call["anonymousId"]}
        if kind in ("identify", "group") or chance.random() < 0.3:
            call["userId"] = f"u{person}"
        if kind == "identify":
            call["traits"] = {"n": number, f"t{chance.randrange(5)}": "x" * chance.randrange(200)}
            if chance.random() < 0.5:
                call["traits"]["email"] = f"p{person + chance.randrange(2)}@example.org"
        if kind == "group":
            call |= {"groupId": f"g{person % 7}", "traits": {"size": number}}
        if kind == "track":
            call |= {"event": "Seen", "properties": {"n": number}}
        return call


def lost(load: Load, stored: Sequence[str]) -> list[str]:
    """Messages that were answered 200 and are not stored."""
    return sorted(load.acknowledged.difference(stored))


def halves(load: Load, stored: Sequence[str]) -> list[Sent]:
    """Requests that were given up and are stored in part."""
    there = set(stored)
    return [sent for sent in load.given_up if 0 < len(there.intersection(sent.messages)) < len(sent.messages)]


def twice(stored: Sequence[str]) -> list[str]:
    """Messages that are stored more than once."""
    return sorted({each for each in stored if stored.count(each) > 1}) if len(set(stored)) < len(stored) else []
