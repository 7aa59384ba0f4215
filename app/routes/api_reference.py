"""The API reference: the OpenAPI document, and a page at /docs that shows it.

The page and its assets are files of this package. The content security policy keeps the browser from loading
anything from another host.
"""

from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response

from app.http import openapi
from app.http.auth import ByAnyone

router = APIRouter()
_FILES: Final = Path(openapi.__file__).with_name("api_reference")
_HTML, _CSS, _SCRIPT = "text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8"
_TYPES: Final = {"swagger-ui.css": _CSS, "swagger-ui-bundle.js": _SCRIPT, "start.js": _SCRIPT}
# Swagger UI sets styles on its elements and draws its icons from data: URLs.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/openapi.json", include_in_schema=False)
async def document(request: Request, _onefold: ByAnyone) -> Response:
    """The OpenAPI document of all routes."""
    return Response(_encoded(request.app), media_type="application/json")


@router.get("/docs", include_in_schema=False)
async def page(_onefold: ByAnyone) -> Response:
    """The page that shows the document."""
    headers = {"content-security-policy": _POLICY, "referrer-policy": "no-referrer"}
    return Response(_read("index.html"), headers=headers, media_type=_HTML)


@router.get("/docs/{name}", include_in_schema=False)
async def asset(_onefold: ByAnyone, name: Literal["swagger-ui.css", "swagger-ui-bundle.js", "start.js"]) -> Response:
    """A style sheet or script of the page. The vendored ones are stored as browsers take them: compressed."""
    if name == "start.js":
        return Response(_read(name), media_type=_TYPES[name])
    return Response(_read(f"{name}.gz"), headers={"content-encoding": "gzip"}, media_type=_TYPES[name])


@cache
def _encoded(api: FastAPI) -> bytes:
    return msgspec.json.encode(openapi.document(api))


@cache
def _read(name: str) -> bytes:
    return (_FILES / name).read_bytes()
