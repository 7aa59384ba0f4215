"""Finds who sends a request to a collection route, and reads its body.

The key comes first: from the header before the body is read, else from the bytes of the body before they are parsed.
A request without a known key is parsed by nobody, and its bytes count for its address.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from app.http.auth import lacks_scope, secret
from app.http.body import BODY_LIMIT, EMPTY, encoding_of, read
from app.http.collection.write_keys import write_keys
from app.http.error_responses import Unreadable
from app.http.json_errors import explain_json, no_text
from app.server.address_budget import SMALL_BODY, AddressBudget
from app.server.client_address import client_address
from app.server.process import Onefold
from identity.operations.spaces.manage_spaces import Caller
from identity.values.enums import KeyScope
from identity.values.errors import RateLimited, Unauthorised

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

SCOPES: Final = frozenset({KeyScope.WRITE, KeyScope.IMPORT, KeyScope.ADMIN})
_NO_ROOM: Final = (
    "Too many bodies without a known key came from this address; send the key in the Authorization header, or try "
    "again in a second."
)


class Sender:
    """The sender of one request; `caller` is None until a key is known."""

    def __init__(self, onefold: Onefold, budget: AddressBudget, scope: Scope) -> None:
        self._onefold = onefold
        self._budget = budget
        self._scope = scope
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._counted = set[int]()
        self._in_body = False
        self.caller: Caller | None = None

    async def read(self, receive: Receive) -> bytes:
        """The body of the request, read once a key in the header is known. Unauthorised, with nothing parsed."""
        encoding = encoding_of(self._scope["headers"]) if b"content-encoding" in self._headers else None
        length = self._headers.get(b"content-length")
        caller = await self._by_header(self._headers.get(b"authorization"))
        if caller is not None:
            self._admit(caller)
            return await read(receive, encoding, length)
        self._in_body = True
        address = client_address(self._scope, self._onefold.settings.proxies)
        limit = BODY_LIMIT if self._budget.has_room(address) else SMALL_BODY
        try:
            raw = await read(receive, encoding, length, limit)
        except Unreadable as error:
            self._budget.charge(address, limit)
            if limit == SMALL_BODY and error.code == "body_too_large":
                raise RateLimited(_NO_ROOM) from None
            raise
        try:
            self._admit(await self._by_scan(raw))
        except (Unauthorised, Unreadable):
            self._budget.charge(address, len(raw))
            raise
        return raw

    async def confirm(self, body: dict[str, Any]) -> Caller:
        """The caller, once the body is parsed: a body that was mended may name another key than the scan found."""
        if self._in_body or self.caller is None:
            self._admit(await self._by_body(body))
        assert self.caller is not None
        return self.caller

    async def _by_scan(self, raw: bytes) -> Caller:
        """The first known of the keys that a body names. Unauthorised without one; Unreadable if it is no text."""
        if not raw:
            raise Unreadable("empty_body", EMPTY)
        if no_text(raw) is not None:
            raise Unreadable("invalid_json", explain_json(raw))
        for key in write_keys(raw):
            try:
                return await self._onefold.keys.caller(key)
            except Unauthorised:
                continue
        raise Unauthorised

    def _admit(self, caller: Caller) -> None:
        """Count the request for a key, once. RateLimited; Forbidden for a key that may not send calls."""
        self.caller = caller
        if caller.key_number not in self._counted:
            self._counted.add(caller.key_number)
            self._onefold.limits.collect(caller)
        if caller.scopes.isdisjoint(SCOPES):
            raise lacks_scope(caller, SCOPES)

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
