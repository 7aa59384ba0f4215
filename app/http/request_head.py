"""Says what is wrong with the head of a request that the parser refuses, or accepts although this server may not.

Pure functions over bytes: the connection asks them and sends the answer. A message repeats nothing of the request.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import httptools

_HOST: Final = "The request needs exactly one Host header with the name of the server."
_HOST_VALUE: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")
_METHOD: Final = re.compile(rb"[\r\n]*[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} ")
_TLS: Final = b"\x16\x03"
_VERSIONS: Final = ("1.0", "1.1")
_OF_VERSION: Final = ("Invalid HTTP version", "Expected dot", "Pause on PRI/Upgrade")
"""What the parser calls a version that it does not read: the last one is the preface of HTTP/2."""


class HeadFault(NamedTuple):
    """The answer to a head that cannot be used."""

    status: int
    code: str
    message: str


_ODD: Final = HeadFault(400, "invalid_http", "The request is not valid HTTP/1.1.")
_ENCRYPTED: Final = HeadFault(
    400, "invalid_http", "These bytes are TLS, and this port speaks plain HTTP: use http:// or a proxy that ends TLS."
)
_NO_METHOD: Final = HeadFault(
    501, "unsupported_method", "No route knows this method; methods are in capitals, such as GET and POST."
)
_NO_VERSION: Final = HeadFault(
    505, "unsupported_version", "This version of HTTP is not supported; send the request as HTTP/1.1."
)
_NO_CODING: Final = HeadFault(
    501,
    "unsupported_transfer_encoding",
    "Only Transfer-Encoding: chunked is supported; compress the body with Content-Encoding: gzip instead.",
)
_BAD_CODING: Final = HeadFault(
    400, "invalid_http", "The Transfer-Encoding must be chunked, without a Content-Length beside, and of HTTP/1.1."
)
_OF_REASON: Final = {
    "Content-Length": "The Content-Length must be one whole number, the bytes of the body; send the header once.",
    "chunk": "The body is no valid chunked body; each chunk begins with its size in hexadecimal digits.",
    "header": "A header has a character that headers may not have; write each as Name: value, on a line of its own.",
    "start line": "The first header begins with a blank; write each header as Name: value, on a line of its own.",
    "url": "The path has a character that no path may have; write it as %XX, such as %20 for a blank.",
    "Expected HTTP/": "The first line must be method, path and HTTP/1.1, with one blank between; write a blank as %20.",
    "CR": "Each line of the head must end with CR and LF.",
}
"""What is wrong with a head by a part of the words of the parser; the first part that is found counts."""
_BAD_HOST: Final = HeadFault(400, "invalid_host", _HOST)


def parser_fault(error: httptools.HttpParserError, data: bytes) -> HeadFault:
    """What is wrong with bytes that the parser refuses; `data` is what arrived last."""
    reason = str(error)
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        if data.startswith(_TLS):
            return _ENCRYPTED
        return _NO_METHOD if _METHOD.match(data) else _ODD
    if reason.startswith("Invalid method for HTTP"):
        return _NO_METHOD
    if "Transfer-Encoding" in reason:
        return _BAD_CODING
    if reason in _OF_VERSION:
        return _NO_VERSION
    why = next((message for part, message in _OF_REASON.items() if part in reason), None)
    return _ODD if why is None else HeadFault(400, "invalid_http", f"{_ODD.message} {why}")


def head_fault(version: str, headers: Sequence[tuple[bytes, bytes]]) -> HeadFault | None:
    """What is wrong with a head that the parser accepts; None where it can be used."""
    if version not in _VERSIONS:
        return _NO_VERSION
    hosts = [value for name, value in headers if name == b"host"]
    least = 1 if version == "1.1" else 0
    if not least <= len(hosts) <= 1 or not all(_HOST_VALUE.fullmatch(each) for each in hosts):
        return _BAD_HOST
    codings = b",".join(value for name, value in headers if name == b"transfer-encoding")
    if not codings:
        return None
    if version == "1.0" or codings.lower().rpartition(b",")[2].strip() != b"chunked":
        return _BAD_CODING
    return None if codings.lower() == b"chunked" else _NO_CODING
