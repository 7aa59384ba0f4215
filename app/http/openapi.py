"""The OpenAPI document: one for the native and the hot routes, made from the shapes that routes name.

Nothing checks answers against it at run time. The clients of the tests do (`tests.support.http.api_contract`).
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.http import ingest_endpoint
from app.http.auth import Operator, Public, Scopes
from app.http.collection.sender import SCOPES
from app.http.error_responses import PROBLEM, STATUS
from app.http.paths.known_paths import KnownPaths
from app.http.repeated_members import REPEATED, decode_document
from app.http.request_shapes import UNKNOWN, read_shape
from app.schemas import calls
from app.schemas.problems import Problem
from identity.values import errors
from identity.values.unknown_names import UnknownParameter

VERSION: Final = "1"
_REF: Final = "#/components/schemas/{name}"
_ALWAYS: Final = (errors.Unauthorised, errors.Forbidden, errors.Unavailable)
_OF_BODIES: Final = {400: "invalid_json", 408: "body_timeout", 413: "body_too_large", 415: "unsupported_encoding"}
_SHAPES: Final[set[type]] = set()
"""The shapes that routes name; the document holds these and the shapes in them."""
Body = TypeVar("Body", bound=msgspec.Struct)


def body(shape: type[Body]) -> Callable[[Request], Any]:
    """The dependency that reads a JSON body of this shape; the Content-Type is ignored.

    Raises Unreadable; its message names the field and never the value.
    """

    async def read(request: Request) -> Body:
        return read_shape(decode_document(await request.body()), shape)

    read.__annotations__["return"] = shape
    return read


def described(
    answer: type | None,
    *refusals: type[errors.OnefoldError],
    status: int = 200,
    takes: type | None = None,
    public: bool = False,
) -> dict[str, Any]:
    """The arguments of a route that document it: the shape of its answer, its errors, the shape of its body."""
    found: dict[int, list[str]] = {400: [UnknownParameter.code], 422: ["invalid_request", UNKNOWN]}
    found[422] += [REPEATED] if takes is not None else []
    for kind in (*refusals, *(() if public else _ALWAYS)):
        found.setdefault(STATUS[kind], []).append(kind.code)
    for status_, code in _OF_BODIES.items() if takes is not None else ():
        found.setdefault(status_, []).append(code)
    responses: dict[int | str, Any] = {status: _answer(answer)}
    for each, codes in sorted(found.items()):
        responses[each] = {"description": ", ".join(codes), "content": {PROBLEM: schema_of(Problem)}}
    extra = {} if takes is None else {"requestBody": _content(takes)}
    return {"responses": responses, "openapi_extra": extra, "status_code": status, "response_model": None}


def schema_of(shape: type) -> dict[str, Any]:
    """The media type object of a shape, which is from now on in the document."""
    _SHAPES.add(shape)
    return {"schema": {"$ref": _REF.format(name=shape.__name__)}}


def document(api: FastAPI) -> dict[str, Any]:
    """The whole document."""
    made = get_openapi(title="Onefold", version=VERSION, routes=api.routes)
    for route in native(api):
        operation = made["paths"].get(route.path, {})
        for method in route.methods or ():
            operation.setdefault(method.lower(), {})["security"] = _security(route)
    for template in sorted({route.template for route in ingest_endpoint.ROUTES.values()}):
        made["paths"][template] = {"post": _hot(ingest_endpoint.ROUTES[template])}
    _, shapes = msgspec.json.schema_components(sorted(_SHAPES, key=lambda shape: shape.__name__), ref_template=_REF)
    components = made.setdefault("components", {})
    components.setdefault("schemas", {}).update(shapes)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key of a space."},
        "basic": {"type": "http", "scheme": "basic", "description": "The key as user name, with an empty password."},
        "operator": {"type": "http", "scheme": "bearer", "description": "The operator token."},
    }
    return made


def native(api: FastAPI) -> list[APIRoute]:
    """The routes of the native surface."""
    return [route for route in api.routes if isinstance(route, APIRoute)]


def paths(api: FastAPI) -> KnownPaths:
    """The paths of all routes with their methods."""
    found = [(route.path, route.methods or ()) for route in native(api)]
    return KnownPaths([*found, *((route.template, ("POST",)) for route in ingest_endpoint.ROUTES.values())])


def guard(route: APIRoute) -> object:
    """The guard that authenticates the callers of a route; None where a route declares none."""
    guards = [each.call for each in route.dependant.dependencies]
    return next((each for each in guards if isinstance(each, (Scopes, Operator, Public))), None)


def _security(route: APIRoute) -> list[dict[str, list[str]]]:
    found = guard(route)
    if isinstance(found, Operator):
        return [{"operator": []}]
    return [{"key": sorted(found.scopes)}, {"basic": []}] if isinstance(found, Scopes) else []


def _hot(route: ingest_endpoint.Route) -> dict[str, Any]:
    refused = {"application/json": schema_of(calls.CollectionRefusal)}
    refusals = {
        400: "the body cannot be read, is empty, too large or too long, or its single call is rejected",
        401: "invalid_write_key",
        403: "forbidden",
        408: "body_timeout",
        429: "queue_full",
        503: "unavailable",
    }
    return {
        "summary": f"Collect: {route.kind or 'a batch of calls'}",
        "operationId": "collect_" + route.template.removeprefix("/v1/"),
        "requestBody": _content(calls.CallBody if route.kind else calls.CallBatch),
        "responses": {
            "200": _answer(calls.Accepted),
            **{str(status): {"description": text, "content": refused} for status, text in refusals.items()},
        },
        "security": [{"basic": []}, {"key": sorted(SCOPES)}, {}],
    }


def _answer(shape: type | None) -> dict[str, Any]:
    if shape is None:
        return {"description": "Done; the answer has no body."}
    return {
        "description": (shape.__doc__ or "").split("\n")[0],
        "content": {"application/json": schema_of(shape)},
    }


def _content(shape: type) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": schema_of(shape)}}
