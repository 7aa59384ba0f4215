"""Authenticates and authorises requests: every native route names its scopes through a dependency here.

A route declares `scopes(...)`, `ByOperator` or `ByAnyone`; a test walks all routes and fails for a
route that declares none. The key determines the space: no route takes a space from the request.
"""

import base64
import binascii
import hmac
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request

from app.server.process import Onefold
from identity.operations.spaces.manage_spaces import Caller
from identity.spaces.space import Space
from identity.values.errors import Forbidden, SpaceNotFound, Unauthorised

DESTINATION = "destination:"


class Visit(NamedTuple):
    """A request whose key may make it."""

    onefold: Onefold
    caller: Caller
    space: Space

    @property
    def audited(self) -> bool:
        """Return whether the ledger records the reads of this key: an employee's key, not a service's."""
        return not self.caller.scopes.isdisjoint(("privacy", "admin"))


async def _visit(request: Request, caller: Caller) -> Visit:
    onefold: Onefold = request.app.state.onefold
    onefold.limits.read(caller)
    request.scope["onefold.caller"] = caller
    try:
        return Visit(onefold, caller, await onefold.spaces.get(caller.space_id))
    except SpaceNotFound:
        # The space was deleted a moment ago, and its keys with it.
        raise Unauthorised from None


def destination(caller: Caller) -> str | None:
    """Return the public id of the destination that a key belongs to; None for any other key."""
    named = [scope.removeprefix(DESTINATION) for scope in caller.scopes if scope.startswith(DESTINATION)]
    return named[0] if named else None


class Scopes:
    """Admits a key that carries one of these scopes."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = frozenset(scopes)

    async def __call__(self, request: Request) -> Visit:
        """Unauthorised without a known key, Forbidden without the scope."""
        onefold: Onefold = request.app.state.onefold
        caller = await onefold.keys.caller(secret(_authorization(request)) or "")
        if caller.scopes.isdisjoint(self.scopes):
            raise Forbidden
        return await _visit(request, caller)


class Destinations(Scopes):
    """Admits a destination's own key; its scope names the destination."""

    def __init__(self) -> None:
        super().__init__(f"{DESTINATION}<id>")

    async def __call__(self, request: Request) -> Visit:
        """Unauthorised without a known key, Forbidden for a key of no destination."""
        onefold: Onefold = request.app.state.onefold
        caller = await onefold.keys.caller(secret(_authorization(request)) or "")
        if destination(caller) is None:
            raise Forbidden
        return await _visit(request, caller)


class Operator:
    """Admits the operator token and nothing else."""

    async def __call__(self, request: Request) -> Onefold:
        """Unauthorised without the operator token."""
        onefold: Onefold = request.app.state.onefold
        wanted = onefold.settings.admin_token
        given = secret(_authorization(request)) or ""
        if not wanted or not hmac.compare_digest(given.encode(), wanted.get_secret_value().encode()):
            raise Unauthorised
        return onefold


class Public:
    """Admits every request."""

    async def __call__(self, request: Request) -> Onefold:
        """Admit the request."""
        onefold: Onefold = request.app.state.onefold
        return onefold


def scopes(*names: str) -> Any:
    """Return the dependency of a route for keys with one of these scopes."""
    return Depends(Scopes(*names))


ByOperator = Annotated[Onefold, Depends(Operator())]
ByAnyone = Annotated[Onefold, Depends(Public())]
ByAdmin = Annotated[Visit, scopes("admin")]
ByImporter = Annotated[Visit, scopes("import", "admin")]
ByReader = Annotated[Visit, scopes("profiles:read", "privacy", "admin")]
ByPrivacy = Annotated[Visit, scopes("privacy")]
ByDestination = Annotated[Visit, Depends(Destinations())]
ByLawyer = Annotated[Visit, scopes("legal:read")]
ByLister = Annotated[Visit, scopes("privacy", "admin")]
ByGroupReader = Annotated[Visit, scopes("profiles:read", "admin")]


def secret(authorization: bytes | None) -> str | None:
    """Return the key in an Authorization header: Bearer, or the user name of Basic, with or without a colon.

    None without a header. A header that cannot be read gives an empty key, which no space has.
    """
    if authorization is None:
        return None
    scheme, _, rest = authorization.strip().partition(b" ")
    scheme = scheme.lower()
    if scheme == b"bearer":
        return rest.strip().decode("latin-1")
    if scheme != b"basic":
        return ""
    try:
        pair = base64.b64decode(rest.strip(), validate=True)
    except binascii.Error:
        return ""
    return pair.partition(b":")[0].decode("latin-1")


def _authorization(request: Request) -> bytes | None:
    return next((value for name, value in request.scope["headers"] if name == b"authorization"), None)
