"""Reads parameters and writes errors as Segment's Profile API does.

Every answer below the `collections` of a space has a `Request-Id`, and every error the body of that API, also
where no route matches. A message repeats nothing of the request but single invalid characters.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from identity.operations.profiles.segment_paging import ListParameters
from identity.planning.resolution.event_time import parse_query_time
from identity.values.errors import BadParameter
from identity.values.stamps import Micros

_PATH: Final = re.compile(r"/v1/spaces/[^/]*/collections(/|$)")
_NAME: Final = re.compile(r"[a-z0-9_]*")
_CODES: Final = {
    401: "authentication_error",
    403: "authentication_error",
    404: "not_found",
    429: "rate_limit_error",
    500: "internal_error",
    503: "unavailable",
}
_INVALID: Final = frozenset({"invalid_parameter", "bad_identifier", "bad_input", "bad_cursor", "invalid_request"})
_NOT_FOUND: Final = "Profile was not found."
_TYPED: Final = "The identifier:"
_LONGEST: Final = 10_000
Name = TypeVar("Name", bound=str)


def covers(path: str) -> bool:
    """Return whether a path belongs to the Profile API."""
    return _PATH.match(path) is not None


def request_id() -> tuple[bytes, bytes]:
    """Return a header with a fresh id for an answer."""
    return b"request-id", secrets.token_hex(16).encode()


def failure(status: int, code: str, message: str) -> bytes:
    """Return an error in Segment's shape; `code` is the code of the native surface."""
    other = "validation_error" if code in _INVALID else "invalid_request_error"
    if status == 404 and code.endswith("_not_found"):  # noqa: PLR2004
        # A type that nobody has is named, as on the native surface; Segment's own text comes first.
        message = f"{_NOT_FOUND} {message}" if message.startswith(_TYPED) else _NOT_FOUND
    return msgspec.json.encode({"error": {"code": _CODES.get(status, other), "message": message}})


def list_parameters(query: Iterable[tuple[str, str]], default: int, most: int) -> ListParameters:
    """Parse the parameters of a list, with its default and largest number of entries. BadParameter."""
    given: dict[str, str] = {}
    for name, value in query:
        if name in given or len(value) > _LONGEST:
            raise _bad(name, f"may be given once, with at most {_LONGEST} characters")
        given[name] = value
    start, end = _time(given, "start"), _time(given, "end")
    if start is not None and end is not None and start > end:
        raise _bad("start", "must not be later than `end`")
    return ListParameters(
        limit=_limit(given, default, most),
        include=_names(given, "include"),
        exclude=_names(given, "exclude"),
        verbose=_flag(given),
        computed=_one_of(given, "class", ("audience", "computed_trait")) is not None,
        start=start,
        end=end,
        ascending=_one_of(given, "sort", ("asc", "desc")) == "asc",
        next=given.get("next") or None,
    )


def one_of_names(parameter: str, value: str, names: Iterable[Name]) -> Name:
    """Return a part of the path that has to be one of some names. BadParameter."""
    for name in names:
        if value == name:
            return name
    odd = "".join(sorted({c for c in _NAME.sub("", value) if "!" <= c <= "~" and not c.isalnum()}))
    if odd:
        message = f"The parameter `{parameter}` has invalid character(s) `{odd}`"
        raise BadParameter(message)
    raise _bad(parameter, "must be one of " + ", ".join(names))


def _bad(name: str, why: str) -> BadParameter:
    shown = name if _NAME.fullmatch(name) and len(name) <= 32 else "?"  # noqa: PLR2004
    return BadParameter(f"The parameter `{shown}` {why}.")


def _limit(given: dict[str, str], default: int, most: int) -> int:
    text = given.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):  # noqa: PLR2004
        raise _bad("limit", f"must be a number from 1 to {most}")
    return int(text)


def _names(given: dict[str, str], name: str) -> frozenset[str]:
    return frozenset(part for part in given.get(name, "").split(",") if part)


def _flag(given: dict[str, str]) -> bool:
    return _one_of(given, "verbose", ("", "true", "false", "1", "0")) in ("", "true", "1")


def _one_of(given: dict[str, str], name: str, values: tuple[str, ...]) -> str | None:
    value = given.get(name)
    if value is not None and value not in values:
        raise _bad(name, "must be one of " + ", ".join(filter(None, values)))
    return value


def _time(given: dict[str, str], name: str) -> Micros | None:
    text = given.get(name)
    if not text:
        return None
    time = parse_query_time(text)
    if time is None:
        raise _bad(name, "must be a time like 2026-01-31T12:00:00Z")
    return Micros(time)
