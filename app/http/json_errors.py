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
_FORM: Final = re.compile(r"[\w.%+\[\]-]+=[^{}\"]*", re.ASCII)
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
    if raw.startswith(_UTF_16):
        return _message(1, 1, "it is UTF-16; send UTF-8 without a byte order mark (BOM)")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        return _message(*_place(before, len(before)), "this byte is not valid UTF-8")
    if _FORM.fullmatch(text.strip()):
        return _message(1, 1, "it looks like form fields; send a JSON object, such as curl does with --json")
    at, cause = _fault(text)
    return _message(*_place(text, at), cause)


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
