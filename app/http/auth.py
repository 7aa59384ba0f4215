"""Authenticates and authorises requests: every native route names its scopes through a dependency here.

A route declares `scopes(...)`, `ByOperator` or `ByAnyone`; a test walks all routes and fails for a
route that declares none. The key determines the space: no route takes a space from the request.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request

from app.http.known_parameters import require_known
from app.server.process import Onefold
from identity.operations.spaces.manage_spaces import Caller
from identity.spaces.space import Space
from identity.values.enums import KeyScope
from identity.values.errors import Forbidden, SpaceNotFound, Unauthorised

DESTINATION = "destination:"
_NO_KEY = "The request has no key; send a key of the space as bearer token or as user name of HTTP Basic."
_NO_SCHEME = "The Authorization header holds no key; send `Bearer <key>`, or HTTP Basic with the key as user name."
_OPERATOR_TOKEN = "The operator token manages spaces only; send a key of the space, such as its admin key."  # noqa: S105
_OPERATOR_ONLY = "The route takes the operator token (ONEFOLD_ADMIN_TOKEN) as bearer token, and no key of a space."


class Visit(NamedTuple):
    """A request whose key may make it."""

    onefold: Onefold
    caller: Caller
    space: Space

    @property
    def audited(self) -> bool:
        """Return whether the ledger records the reads of this key: an employee's key, not a service's."""
        return not self.caller.scopes.isdisjoint(("privacy", "admin"))


async def _caller(request: Request) -> Caller:
    """The key of a request. Unauthorised, whose message says what the request lacks."""
    onefold: Onefold = request.app.state.onefold
    given = secret(_authorization(request))
    if given is None:
        raise Unauthorised(_NO_KEY)
    if not given:
        raise Unauthorised(_NO_SCHEME)
    token = onefold.settings.admin_token
    if token and hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        raise Unauthorised(_OPERATOR_TOKEN)
    return await onefold.keys.caller(given)


def lacks_scope(caller: Caller, needed: Iterable[str]) -> Forbidden:
    """The refusal of a key that names the scopes that would do and those that the key has."""
    return Forbidden(
        f"The request needs a key with the scope {' or '.join(sorted(needed))};"
        f" the scopes of this key are: {', '.join(sorted(caller.scopes)) or 'none'}."
    )


async def _visit(request: Request, caller: Caller) -> Visit:
    onefold: Onefold = request.app.state.onefold
    onefold.limits.read(caller)
    request.scope["onefold.caller"] = caller
    await require_known(request)
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
        caller = await _caller(request)
        if caller.scopes.isdisjoint(self.scopes):
            raise lacks_scope(caller, self.scopes)
        return await _visit(request, caller)


class Destinations(Scopes):
    """Admits a destination's own key; its scope names the destination."""

    def __init__(self) -> None:
        super().__init__(f"{DESTINATION}<id>")

    async def __call__(self, request: Request) -> Visit:
        """Unauthorised without a known key, Forbidden for a key of no destination."""
        caller = await _caller(request)
        if destination(caller) is None:
            raise lacks_scope(caller, self.scopes)
        return await _visit(request, caller)


class Operator:
    """Admits the operator token and nothing else."""

    async def __call__(self, request: Request) -> Onefold:
        """Unauthorised without the operator token."""
        onefold: Onefold = request.app.state.onefold
        wanted = onefold.settings.admin_token
        given = secret(_authorization(request)) or ""
        if not wanted or not hmac.compare_digest(given.encode(), wanted.get_secret_value().encode()):
            raise Unauthorised(_OPERATOR_ONLY)
        await require_known(request)
        return onefold


class Public:
    """Admits every request."""

    async def __call__(self, request: Request) -> Onefold:
        """Admit the request."""
        onefold: Onefold = request.app.state.onefold
        await require_known(request)
        return onefold


def scopes(*names: KeyScope) -> Any:
    """Return the dependency of a route for keys with one of these scopes."""
    return Depends(Scopes(*names))


ByOperator = Annotated[Onefold, Depends(Operator())]
ByAnyone = Annotated[Onefold, Depends(Public())]
ByAdmin = Annotated[Visit, scopes(KeyScope.ADMIN)]
ByImporter = Annotated[Visit, scopes(KeyScope.IMPORT, KeyScope.ADMIN)]
ByReader = Annotated[Visit, scopes(KeyScope.PROFILES_READ, KeyScope.PRIVACY, KeyScope.ADMIN)]
ByPrivacy = Annotated[Visit, scopes(KeyScope.PRIVACY)]
ByDestination = Annotated[Visit, Depends(Destinations())]
ByLawyer = Annotated[Visit, scopes(KeyScope.LEGAL_READ)]
ByLister = Annotated[Visit, scopes(KeyScope.PRIVACY, KeyScope.ADMIN)]
ByGroupReader = Annotated[Visit, scopes(KeyScope.PROFILES_READ, KeyScope.ADMIN)]


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
