"""Refuses query parameters and bodies that a native route would ignore.

Invariant: a route that answers has used everything that was sent to it. `?email=ann` on a list of profiles would
otherwise list everybody. The surfaces in foreign formats ignore what they do not know, as their specifications say.
"""

from collections.abc import Iterable
from typing import Final, get_origin

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from app.http import segment_profile_api
from app.http.error_responses import REGULATIONS, Unreadable
from app.http.parameter_errors import bare, place_of
from app.http.request_shapes import UNKNOWN
from identity.values.errors import BadParameter
from identity.values.unknown_names import UnknownParameter, hint, shown

FOREIGN: Final = (REGULATIONS, "/v1/projects/", "/v1/m", "/opendsr/", "/docs")
"""The paths whose formats are those of others, besides the Profile API."""
PROBES: Final = ("/healthz", "/readyz")
"""Probes of orchestrators may add a parameter against caches; nothing depends on a query here."""
# A route cannot be a key; each native route has an endpoint of its own.
_by_endpoint: Final[dict[object, dict[str, bool]]] = {}
_EMPTY: Final = (b"", b"{}", b"null")


async def require_known(request: Request) -> None:
    """Raise UnknownParameter or Unreadable for anything of a request that its route does not use."""
    route = request.scope.get("route")
    path = request.scope["path"]
    if not isinstance(route, APIRoute) or is_foreign(path) or path in PROBES:
        return
    known = _query(route)
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            raise UnknownParameter(_unknown(name, known))
        if given.count(name) > 1 and not known[name]:
            raise BadParameter(f"The query parameter `{name}` is given more than once; give it once.")
    if "requestBody" not in (route.openapi_extra or {}):
        _require_no_body(await request.body(), known)


def is_foreign(path: str) -> bool:
    """Whether the format of a path is that of another vendor or specification."""
    return path.startswith(FOREIGN) or segment_profile_api.covers(path)


def _unknown(name: str, known: Iterable[str]) -> str:
    names = list(known)
    help_ = hint(name, names) if names else "The route takes none."
    return f"The query parameter {shown(name, 'with an unusual name', names)} is unknown. {help_}"


def _require_no_body(body: bytes, known: Iterable[str]) -> None:
    if body.strip() in _EMPTY:
        return
    names = ", ".join(known)
    other = f" Its query parameters are {names}." if names else ""
    raise Unreadable(UNKNOWN, f"The route takes no body, so nothing in it would be used; send none.{other}", 422)


def _query(route: APIRoute) -> dict[str, bool]:
    """The query parameters of a route, and whether each may repeat."""
    known = _by_endpoint.get(route.endpoint)
    if known is None:
        known = _by_endpoint[route.endpoint] = _read_query(route)
    return known


def _read_query(route: APIRoute) -> dict[str, bool]:
    return {
        field.alias: get_origin(bare(field.field_info.annotation)) is list
        for field in get_flat_params(route.dependant)
        if place_of(field) == "query"
    }
