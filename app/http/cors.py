"""What browsers are told on pages of other origins: collection, its settings, nothing else.

A page proves itself with its write key in the request; no cookie is ever read and no password
prompt ever raised, so a page that sends credentials gains nothing by them, and its origin is
echoed as those pages need. An opaque origin (`null`) is let in as everybody is, without them.
"""

import re
from typing import Final

from app.http.error_responses import Headers

_PATHS: Final = ("/v1/projects/", "/v1/m")
_ORIGIN: Final = re.compile(
    rb"https?://[A-Za-z0-9.\-_\[\]:]{1,255}|[a-z][a-z0-9+.\-]{1,30}-extension://[A-Za-z0-9\-]{1,64}"
)
_NAMES: Final = re.compile(rb"[A-Za-z0-9\-]{1,40}(, ?[A-Za-z0-9\-]{1,40}){0,20}")
# A star would not cover Authorization, and SDKs let a page add headers of its own.
_KNOWN: Final = b"authorization, content-type, content-encoding, prefer, sec-gpc, x-retry-count"
_EXPOSED: Final = (b"access-control-expose-headers", b"Retry-After, X-RateLimit-Reset")
_ANYONE: Final[Headers] = [(b"access-control-allow-origin", b"*"), _EXPOSED]
_DAY: Final = b"86400"


def speaks(path: str) -> bool:
    """Whether pages of other origins may ask here; the collection routes are known to their table."""
    return path.startswith(_PATHS[0]) or path.rstrip("/") == _PATHS[1]


def allowed(origin: bytes | None) -> Headers:
    """The headers that let the page of this origin read an answer."""
    if origin is None or not _ORIGIN.fullmatch(origin):
        return _ANYONE
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
        _EXPOSED,
    ]


def preflight(headers: dict[bytes, bytes]) -> Headers:
    """The headers that answer what a browser asks before it sends."""
    asked = headers.get(b"access-control-request-headers", b"")
    names = b", ".join([_KNOWN, asked]) if _NAMES.fullmatch(asked) else _KNOWN
    return [
        *allowed(headers.get(b"origin")),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", names),
        (b"access-control-max-age", _DAY),
    ]
