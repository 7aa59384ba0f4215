"""Mends the tokens that common writers put into JSON and that no JSON can hold, so that one value spoils no batch.

NaN, infinities and numbers beyond a double become null, as browsers write them. Half a surrogate pair and a byte that
is no UTF-8 become a NUL inside their text: no identifier may hold one, so nobody is mistaken for anybody. A control
character in a text is read as it stands. Every lost value is counted at the item that holds it.
"""

import math
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

# A string, or a bare token that may be no JSON. Possessive, so that the time is linear in the length of the body.
_TOKEN = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"|[-+]?(?:nan|inf(?:inity)?)(?![a-z0-9_])|-?\d++(?:\.\d++)?+(?:[eE][-+]?\d++)?+',
    re.DOTALL | re.IGNORECASE,
)
# The pattern consumes escaped backslashes and whole pairs, or their ends would be read as half a pair.
_HALF_A_PAIR = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_CONTROL = re.compile(r"[\x00-\x1f]")
# The marks are random, so no body of a client holds one by accident or on purpose.
_LOST_VALUE: Final = f"value-{secrets.token_hex(16)}"
_LOST_CHARACTER: Final = f"character-{secrets.token_hex(16)}"
_NULL: Final = f'"{_LOST_VALUE}"'.encode()
# A time that is lost stays no time: null would say that there was none.
_TIMES: Final = frozenset({"timestamp", "originalTimestamp", "receivedAt", "sentAt"})


class MendedBody(NamedTuple):
    """A parsed body, and how many values were lost in each item of its batch, and in the rest of the body."""

    body: Any
    items: Mapping[int, int]
    rest: int


def mend(raw: bytes) -> bytes:
    """The body with a mark in the place of everything that no JSON can hold; the same bytes where nothing is."""
    return _TOKEN.sub(_mended, raw)


def _mended(found: re.Match[bytes]) -> bytes:
    token = found[0]
    if token[:1] == b'"':
        return _mended_text(token)
    if token[-1:].isdigit():
        whole = token.lstrip(b"-").isdigit()
        return token if whole or math.isfinite(float(token)) else _NULL
    return _NULL


def _mended_text(token: bytes) -> bytes:
    try:
        text = token.decode()
    except UnicodeDecodeError:
        text = token.decode("utf-8", "surrogateescape")
        text = "".join(_LOST_CHARACTER if "\ud800" <= c <= "\udfff" else c for c in text)
    text = _HALF_A_PAIR.sub(lambda half: half[0] if half[1] is None else _LOST_CHARACTER, text)
    return _CONTROL.sub(lambda control: f"\\u{ord(control[0]):04x}", text).encode()


def collect(body: Any) -> MendedBody:
    """The body with every mark replaced, and the number of marks by item. Changes the body in place."""
    batch = body.get("batch") if isinstance(body, dict) else None
    items: dict[int, int] = {}
    if isinstance(batch, list):
        for at, item in enumerate(batch):
            held = [item]
            lost = _replace(held)
            if lost:
                items[at], batch[at] = lost, held[0]
    whole = [body]
    rest = _replace(whole)
    if isinstance(batch, list):
        return MendedBody(whole[0], items, rest)
    return MendedBody(whole[0], {0: rest} if rest else {}, 0)


def _replace(value: list[Any]) -> int:
    """Replace every mark below a value and return their number; a loop, since bodies nest deeper than frames."""
    lost = 0
    waiting: list[dict[str, Any] | list[Any]] = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            damaged = sum(_LOST_CHARACTER in name for name in holder)
            if damaged:
                lost += damaged
                renamed = {name.replace(_LOST_CHARACTER, "\x00"): item for name, item in holder.items()}
                holder.clear()
                holder.update(renamed)
        places: list[tuple[Any, Any]] = list(holder.items() if isinstance(holder, dict) else enumerate(holder))
        for place, item in places:
            if isinstance(item, (dict, list)):
                waiting.append(item)
            elif item == _LOST_VALUE:
                lost += 1
                holder[place] = "NaN" if place in _TIMES else None
            elif isinstance(item, str) and _LOST_CHARACTER in item:
                lost += 1
                holder[place] = item.replace(_LOST_CHARACTER, "\x00")
    return lost
