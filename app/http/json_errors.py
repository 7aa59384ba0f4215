"""Explains why a body is not JSON: the line, the column and the usual causes.

The parser of the server is strict and brief, so a second, slower parser of the standard library finds the place.
Nothing of the body is repeated.
"""

import json
import math
import re
from typing import Final

_BOM: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF_32: Final = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_COMPRESSED: Final = (
    (b"\x1f\x8b", "gzip", "send the header Content-Encoding: gzip to a collection route, or"),
    (b"x\x01", "zlib", "use gzip on a collection route, or"),
    (b"x\x9c", "zlib", "use gzip on a collection route, or"),
    (b"x\xda", "zlib", "use gzip on a collection route, or"),
    (b"(\xb5/\xfd", "zstd", "use gzip on a collection route, or"),
    (b"PK\x03\x04", "a zip archive", "unpack it, or"),
)
_FORM: Final = re.compile(r"[\w.%+\[\]-]+=[^{}\"]*", re.ASCII)
_BASE_64: Final = re.compile(r"(?:ey[IJ]|ewo|W3s)[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_TOKENS: Final = re.compile(
    # A text that is cut at the end of the search is one token: its escaped quotation marks begin no other text.
    r'"(?:\\.|[^"\\])*(?:"|\Z)|(?P<constant>-?\b(?:NaN|Infinity)\b)|(?P<number>-?\d[\d.eE+-]*)',
    re.DOTALL,
)
_HALF_A_PAIR: Final = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_MOST_DIGITS: Final = 4_000
_BRACKETS: Final = ("}", "]")
_BARE_WORD: Final = "names and text need double quotes; only true, false and null stand without"
_CAUSES: Final = (
    ("Extra data", "more text follows the end of the document; send one JSON object"),
    ("Unterminated string", "this text has no closing quotation mark"),
    ("Invalid control character", "text holds a line break or another control character; write it as \\n or \\u000a"),
    ("Invalid \\", "this escape sequence is not valid; write a backslash as two"),
    ("Expecting ':'", "a colon is missing after this name"),
    ("Expecting ','", "a comma or a closing bracket is missing"),
)


def explain_json(raw: bytes) -> str:
    """The message for a body that is not JSON."""
    if raw.startswith(_BOM):
        return _message(1, 1, "it begins with a byte order mark (BOM); send UTF-8 without a BOM")
    if (other := no_text(raw)) is not None:
        return _message(1, 1, other)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        return _message(*_place(before, len(before)), "this byte is not valid UTF-8")
    if (other := _other_format(text.strip())) is not None:
        return _message(1, 1, other)
    at, cause = _fault(text)
    return _message(*_place(text, at), cause)


def no_text(raw: bytes) -> str | None:
    """What a body is where it is compressed or in another encoding than UTF-8; None for any other body."""
    for start, name, remedy in _COMPRESSED:
        if raw.startswith(start):
            return f"it is compressed ({name}); {remedy} send it uncompressed"
    if raw.startswith(_UTF_32) or _is_wide(raw, 4):
        return "it is UTF-32; send UTF-8 without a byte order mark (BOM)"
    if raw.startswith(_UTF_16) or _is_wide(raw, 2):
        return "it is UTF-16; send UTF-8 without a byte order mark (BOM)"
    return None


def _other_format(text: str) -> str | None:
    """What a text is that is written in another format than JSON; None for any other text."""
    if _BASE_64.fullmatch(text):
        return "it looks like base64; send the JSON object itself"
    if _FORM.fullmatch(text):
        return "it looks like form fields; send a JSON object, such as curl does with --json"
    return "it looks like XML or HTML; send a JSON object" if text.startswith("<") else None


def _is_wide(raw: bytes, width: int) -> bool:
    """Whether a text begins like JSON in characters of so many bytes, without a mark: zeros beside its first one."""
    first = raw[:width].strip(b"\0")
    return first in (b"{", b"[") and raw[:width].count(0) == width - 1


def _fault(text: str) -> tuple[int, str]:
    """The offset and the cause of the first fault."""
    try:
        json.loads(text, parse_int=_skip, parse_float=_skip, parse_constant=_skip)
    except json.JSONDecodeError as error:
        at, message = error.pos, error.msg
    except (RecursionError, ValueError):
        return 0, "it is nested too deeply"
    else:
        at, message = len(text), ""
    for token in _TOKENS.finditer(text, 0, at + 1):
        if token["constant"]:
            return token.start(), "JSON has no NaN and no Infinity; send null"
        if not message and token["number"] and _too_large(token["number"]):
            return token.start(), "this number is too large; send it as text"
    if not message:
        half = next((found for found in _HALF_A_PAIR.finditer(text) if found[1]), None)
        return (at if half is None else half.start()), "this escape is one half of a surrogate pair; send both halves"
    return at, _cause(text, at, message)


def _cause(text: str, at: int, message: str) -> str:
    here, rest = text[at : at + 1], text[at + 1 :].lstrip()[:1]
    before = text[:at].rstrip()[-1:]
    if (before == "," and here in _BRACKETS) or (here == "," and rest in _BRACKETS):
        return "a comma stands before the closing bracket (a trailing comma); remove the comma"
    if message.startswith("Extra data") and here in ("{", "["):
        return "another document follows the first; send one JSON object, with all calls in one batch"
    if here == "'":
        return "text stands in single quotes; use double quotes"
    if here in ("/", "#"):
        return "JSON has no comments; remove the comment"
    if not here:
        return "the body ends too early; close every bracket and quotation mark"
    other = _BARE_WORD if here.isalpha() or here == "_" else "this character does not belong here; check the commas"
    return next((cause for start, cause in _CAUSES if message.startswith(start)), other)


def _too_large(number: str) -> bool:
    if len(number) > _MOST_DIGITS:
        return True
    try:
        return math.isinf(float(number))
    except ValueError:
        return False


def _skip(_text: str) -> None:
    return None


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _message(line: int, column: int, cause: str) -> str:
    return f"The body is not valid JSON at line {line}, column {column}: {cause}."
