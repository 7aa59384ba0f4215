"""The key of a request is known before its body is read, or else before its body is parsed."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.http.collection.sender import Sender
from app.http.error_responses import Unreadable
from app.server.address_budget import SMALL_BODY, AddressBudget
from app.settings import Settings
from identity.operations.spaces.manage_spaces import Caller
from identity.values.errors import Forbidden, RateLimited, Unauthorised
from identity.values.ids import SpaceNumber

KNOWN = Caller(SpaceNumber(1), 1, "key_a", "test", frozenset(("write",)))
READER = Caller(SpaceNumber(1), 2, "key_b", "test", frozenset(("profiles:read",)))


class Request:
    """One request and what is read and counted of it."""

    def __init__(self, body: bytes, budget: AddressBudget, header: str | None = None) -> None:
        self.counted: list[Caller] = []
        self.read = False
        self._body = body
        headers = [] if header is None else [(b"authorization", f"Bearer {header}".encode())]
        keys = SimpleNamespace(caller=self._caller)
        limits = SimpleNamespace(collect=self.counted.append)
        onefold: Any = SimpleNamespace(settings=Settings(), keys=keys, limits=limits)
        self.sender = Sender(onefold, budget, {"headers": headers, "client": ("192.0.2.1", 1)})

    async def body(self) -> bytes:
        """The body, once a key is known."""
        return await self.sender.read(self._receive)

    async def _caller(self, key: str) -> Caller:
        found = {"of_known": KNOWN, "of_reader": READER}.get(key)
        if found is None:
            raise Unauthorised
        return found

    async def _receive(self) -> dict[str, Any]:
        self.read = True
        return {"type": "http.request", "body": self._body}


async def test_a_key_in_the_header_is_judged_before_the_body_is_read() -> None:
    """Unknown, without the scope, or counted for its rate."""
    for header, error in (("of_unknown", Unauthorised), ("of_reader", Forbidden)):
        request = Request(b"{", AddressBudget(1), header)
        with pytest.raises(error):
            await request.body()
        assert not request.read
    known = Request(b"{", AddressBudget(1), "of_known")
    assert await known.body() == b"{"
    assert (known.counted, known.sender.caller) == ([KNOWN], KNOWN)


async def test_the_first_known_key_of_a_body_counts_and_the_parsed_body_decides() -> None:
    """Where the parsed body has another key, that key has to be known as well."""
    request = Request(b'{"a":{"writeKey":"of_unknown"},"writeKey":"of_known","b":NaN}', AddressBudget(1))

    await request.body()

    assert request.counted == [KNOWN]
    assert await request.sender.confirm({"writeKey": "of_known"}) is KNOWN
    with pytest.raises(Unauthorised):
        await request.sender.confirm({"writeKey": "of_unknown"})
    with pytest.raises(Unauthorised):
        await request.sender.confirm({"batch": [{}]})
    assert request.counted == [KNOWN]


async def test_only_what_has_no_known_key_is_charged() -> None:
    """Then a large body is refused, and one with a key that is small enough to scan is read."""
    budget = AddressBudget(100)
    keyed = b'{"writeKey":"of_known","text":"%s"}' % (b"x" * SMALL_BODY)
    for _ in range(3):
        assert await Request(keyed, budget).body() == keyed
    for body, error in ((b"", Unreadable), (b"\x1f\x8b", Unreadable), (b"[" * 200, Unauthorised)):
        with pytest.raises(error):
            await Request(body, budget).body()

    with pytest.raises(RateLimited):
        await Request(keyed, budget).body()
    assert await Request(b'{"writeKey":"of_known"}', budget).body()
    assert await Request(keyed, budget, "of_known").body() == keyed
