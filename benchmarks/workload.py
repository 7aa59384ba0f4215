"""Renders the requests, all of them before any clock starts, and the same bytes for every arm.

Requests are sent in their order, so the number of answered requests determines the rows that must exist
afterwards. `random` is the worst case (no user twice in a batch, 90 % write traits); `sdk` is what
SDKs send (5 users with 20 calls each).
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["single", "random", "sdk"]

BATCH = 100
SDK_USERS = 5
NEW = 0.02
MERGING = 0.01
TRACK = 0.10
VISITORS = 10  # one anonymous visitor for so many users
_CITIES = ("Berlin", "Lagos", "Lima", "Oslo", "Osaka", "Pune", "Quito", "Turin")
_CONTEXT = (
    '"context":{"library":{"name":"analytics-node","version":"2.1.3"},"ip":"203.0.113.7","locale":"en-GB",'
    '"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"}'
)


class Facts(NamedTuple):
    """What some requests must lead to: calls, identify calls, profiles created, profiles merged."""

    calls: int
    identifies: int
    created: int
    merged: int

    def plus(self, other: "Facts") -> "Facts":
        """Return the sum of both."""
        return Facts(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass
class Workload:
    """A file of rendered requests, each after its length, and the facts of each."""

    kind: Kind
    path: Path
    calls: int
    facts: list[Facts]

    def expected(self, requests: int) -> Facts:
        """Return what the first so many requests must lead to."""
        total = Facts(0, 0, 0, 0)
        for facts in self.facts[:requests]:
            total = total.plus(facts)
        return total


def user_id(user: int) -> str:
    """Return the id of a user, as the application that sends calls names it."""
    return f"user-{user}"


def anonymous_id(user: int) -> str:
    """Return the id of the one browser of a user."""
    return f"{user:08x}-3f1b-4c2d-9e8a-0d5b7a61c9f4"


def visitor_id(visitor: int) -> str:
    """Return the id of a browser on which no user has logged in."""
    return f"visitor-{visitor:08x}-77aa-4e10-b3c2"


def email(user: int) -> str:
    """Return the e-mail of a user."""
    return f"person.{user}@mail-{user % 97}.example.net"


def traits(user: int, turn: int) -> str:
    """Return the traits of an identify call, as JSON."""
    return (
        f'{{"email":"{email(user)}","name":"Ann Example {user}","plan":"{("free", "pro", "team")[turn % 3]}",'
        f'"logins":{turn},"city":"{_CITIES[turn % 8]}","newsletter":{"true" if turn % 2 else "false"}}}'
    )


class Renderer:
    """Draws users and writes calls. `profiles` users exist before, numbered from 0."""

    def __init__(self, profiles: int, seed: int) -> None:
        self._random = random.Random(seed)
        self._profiles = profiles
        self._fresh = count(profiles)
        self._visitors = iter(range(profiles // VISITORS))
        self._messages = count()
        self._stem = f"bench-{seed:x}"
        self._now = datetime.now(UTC)

    def request(self, kind: Kind) -> tuple[str, str, Facts]:
        """Return one request: path, body, facts."""
        if kind == "single":
            call, item, facts = self._draw()
            return f"/v1/{call}", item, facts
        items, total = [], Facts(0, 0, 0, 0)
        users: set[int] = set()
        for _ in range(SDK_USERS if kind == "sdk" else BATCH):
            more, facts = self._session(users) if kind == "sdk" else self._one(users)
            items += more
            total = total.plus(facts)
        return "/v1/batch", f'{{"batch":[{",".join(items)}],"sentAt":"{self._time(0)}"}}', total

    def _one(self, users: set[int]) -> tuple[list[str], Facts]:
        _, item, facts = self._draw(users)
        return [item], facts

    def _draw(self, users: set[int] | None = None) -> tuple[str, str, Facts]:
        chance = self._random.random
        if chance() < NEW:
            return "identify", self.identify(next(self._fresh)), Facts(1, 1, 1, 0)
        user = self._known(users)
        if chance() < TRACK:
            return "track", self.track(user), Facts(1, 0, 0, 0)
        if chance() < MERGING:
            visitor = next(self._visitors, None)
            if visitor is not None:
                return "identify", self.identify(user, visitor_id(visitor)), Facts(1, 1, 0, 1)
        return "identify", self.identify(user), Facts(1, 1, 0, 0)

    def _session(self, users: set[int]) -> tuple[list[str], Facts]:
        fresh = self._random.random() < NEW
        user = next(self._fresh) if fresh else self._known(users)
        plain = BATCH // SDK_USERS - 1
        return [self.identify(user), *(self.track(user) for _ in range(plain))], Facts(1 + plain, 1, int(fresh), 0)

    def _known(self, users: set[int] | None) -> int:
        user = self._random.randrange(self._profiles)
        while users is not None and user in users:
            user = self._random.randrange(self._profiles)
        if users is not None:
            users.add(user)
        return user

    def identify(self, user: int, browser: str | None = None) -> str:
        """Return an identify call."""
        return (
            f'{{"type":"identify","userId":"{user_id(user)}","anonymousId":"{browser or anonymous_id(user)}",'
            f'{self._frame()},"traits":{traits(user, self._random.randrange(1_000_000))},{_CONTEXT}}}'
        )

    def track(self, user: int) -> str:
        """Return a track call."""
        return (
            f'{{"type":"track","userId":"{user_id(user)}","anonymousId":"{anonymous_id(user)}",{self._frame()},'
            f'"event":"Product Viewed","properties":{{"sku":"sku-{self._random.randrange(9999)}","price":19.9,'
            f'"currency":"EUR","category":"Shoes"}},{_CONTEXT}}}'
        )

    def visit(self, visitor: int) -> str:
        """Return a page call of an unknown visitor."""
        return f'{{"type":"page","anonymousId":"{visitor_id(visitor)}",{self._frame()},"name":"Home",{_CONTEXT}}}'

    def _frame(self) -> str:
        number = next(self._messages)
        return f'"messageId":"{self._stem}-{number:010x}-5c1e90","timestamp":"{self._time(number)}"'

    def _time(self, number: int) -> str:
        moment = self._now + timedelta(milliseconds=number % 1000)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{number % 1000:03d}Z"


def history(profiles: int) -> Iterator[list[str]]:
    """Yield what is sent before all arms: each user twice, each visitor once, in batches of 500 calls."""
    renderer = Renderer(profiles, 0)
    items: list[str] = []
    for user in range(profiles):
        items += [renderer.identify(user), renderer.track(user)]
        if user < profiles // VISITORS:
            items.append(renderer.visit(user))
        if len(items) >= 500:
            yield items
            items = []
    if items:
        yield items


def request_bytes(path: str, body: str, key: str) -> bytes:
    """Return the bytes of a POST request."""
    data = body.encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def render(
    kind: Kind, folder: Path, profiles: int, requests: int, key: str, seed: int, name: str | None = None
) -> Workload:
    """Write so many requests into a file."""
    renderer = Renderer(profiles, seed)
    facts = []
    path = folder / f"{name or kind}.requests"
    with path.open("wb") as file:
        for _ in range(requests):
            where, body, expected = renderer.request(kind)
            data = request_bytes(where, body, key)
            file.write(struct.pack(">I", len(data)))
            file.write(data)
            facts.append(expected)
    return Workload(kind, path, 1 if kind == "single" else BATCH, facts)


def render_reads(folder: Path, profiles: int, requests: int, key: str) -> Path:
    """Write reads by identifier of random known users into a file."""
    chooser = random.Random(7)
    path = folder / "read.requests"
    with path.open("wb") as file:
        for _ in range(requests):
            user = chooser.randrange(profiles)
            name = f"email%3A{email(user).replace('@', '%40')}" if user % 2 else f"user_id%3A{user_id(user)}"
            data = (
                f"GET /v1/profiles/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n"
            ).encode()
            file.write(struct.pack(">I", len(data)))
            file.write(data)
    return path
