"""CORS headers: pages of any origin may use the collection routes and the settings of SDKs, nothing else.

A page authenticates with its write key in the request. The server reads no cookie and raises no
password prompt, so credentials give a page nothing; the origin is echoed because pages that send
credentials need it. An opaque origin (`null`) is allowed without credentials.
"""

import re
from typing import Final

from app.http.error_responses import Headers

_PATHS: Final = ("/v1/projects/", "/v1/m")
_ORIGIN: Final = re.compile(
    rb"https?://[A-Za-z0-9.\-_\[\]:]{1,255}|[a-z][a-z0-9+.\-]{1,30}-extension://[A-Za-z0-9\-]{1,64}"
)
_NAMES: Final = re.compile(rb"[A-Za-z0-9\-]{1,40}(, ?[A-Za-z0-9\-]{1,40}){0,20}")
# A star does not cover Authorization, and SDKs let a page add its own headers.
_KNOWN: Final = b"authorization, content-type, content-encoding, prefer, sec-gpc, x-retry-count"
_EXPOSED: Final = (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset")
_ANYONE: Final[Headers] = [(b"access-control-allow-origin", b"*"), _EXPOSED]
_DAY: Final = b"86400"


def covers(path: str) -> bool:
    """Return whether pages of other origins may use this path. Collection routes are in a table of their own."""
    return path.startswith(_PATHS[0]) or path.rstrip("/") == _PATHS[1]


def allowed(origin: bytes | None) -> Headers:
    """Return the headers that let a page of this origin read an answer."""
    if origin is None or not _ORIGIN.fullmatch(origin):
        return _ANYONE
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
        _EXPOSED,
    ]


def preflight(headers: dict[bytes, bytes]) -> Headers:
    """Return the headers of the answer to a preflight request."""
    asked = headers.get(b"access-control-request-headers", b"")
    names = b", ".join([_KNOWN, asked]) if _NAMES.fullmatch(asked) else _KNOWN
    return [
        *allowed(headers.get(b"origin")),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", names),
        (b"access-control-max-age", _DAY),
    ]
