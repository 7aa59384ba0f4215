"""Who may call what: every native route names its scopes through one of three dependencies here.

A route asks for `scopes(...)`, `OPERATOR` or `PUBLIC`, and a test walks all routes and fails for
one that asks for none. A key is known by its space, and no route ever names a space of its own.
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
    """A request by a key that may make it."""

    onefold: Onefold
    caller: Caller
    space: Space

    @property
    def audited(self) -> bool:
        """Whether what it reads is written down: an employee's key, not a service's."""
        return not self.caller.scopes.isdisjoint(("privacy", "admin"))


async def _visit(request: Request, caller: Caller) -> Visit:
    onefold: Onefold = request.app.state.onefold
    onefold.limits.read(caller)
    request.scope["onefold.caller"] = caller
    try:
        return Visit(onefold, caller, await onefold.spaces.get(caller.space_id))
    except SpaceNotFound:
        # Deleted a moment ago, and its keys with it.
        raise Unauthorised from None


def destination(caller: Caller) -> str | None:
    """The destination that a key belongs to, by its public id; None for any other key."""
    named = [scope.removeprefix(DESTINATION) for scope in caller.scopes if scope.startswith(DESTINATION)]
    return named[0] if named else None


class Scopes:
    """Lets a key in that carries one of these scopes."""

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
    """Lets a destination's own key in; its scope names which one."""

    def __init__(self) -> None:
        super().__init__(f"{DESTINATION}<id>")

    async def __call__(self, request: Request) -> Visit:
        """As `Scopes`, for the one scope of such a key."""
        onefold: Onefold = request.app.state.onefold
        caller = await onefold.keys.caller(secret(_authorization(request)) or "")
        if destination(caller) is None:
            raise Forbidden
        return await _visit(request, caller)


class Operator:
    """Lets the operator token in, and nothing else."""

    async def __call__(self, request: Request) -> Onefold:
        """Unauthorised without the operator token."""
        onefold: Onefold = request.app.state.onefold
        wanted = onefold.settings.admin_token
        given = secret(_authorization(request)) or ""
        if not wanted or not hmac.compare_digest(given.encode(), wanted.get_secret_value().encode()):
            raise Unauthorised
        return onefold


class Public:
    """Lets everybody in."""

    async def __call__(self, request: Request) -> Onefold:
        """Asks nothing."""
        onefold: Onefold = request.app.state.onefold
        return onefold


def scopes(*names: str) -> Any:
    """The dependency of a route for keys with one of these scopes."""
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
    """The key in an Authorization header: Bearer, or the user name of Basic (its colon may lack).

    None without a header; what cannot be read gives an empty key, which nobody has.
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
