"""Hostile request bodies, made from a seed, so that a harmful one can be sent again.

A hostile item is valid JSON by construction and made of what collection looks at; hostile bytes
are a good body that was damaged on its way.
"""

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

KINDS = ("identify", "track", "page", "screen", "group", "alias")
# Numbers that no program agrees on, put in as they are written.
NUMBERS = ("1e400", "-1e400", "1e-400", "18446744073709551616", "9" * 400, "-0", "0.1e1", "123456789012345678901.5")
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "null",
    "\u202e\u0645",
    "\ud800",
    "a\udfffb",
    "'; drop table profile; --",
    "%s%n%x",
    "{{7*7}}",
    "\r\nforged: line",
    "\ufeffx",
    "e\u0301" * 50,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "x" * 513,
    "y" * 40_000,
    "2026-02-30T25:61:61Z",
    "+99999999999999999999",
    "a@b@c",
    "\u0130@\u0131.com",
)
PATHS = (
    ("type",),
    ("userId",),
    ("anonymousId",),
    ("previousId",),
    ("groupId",),
    ("messageId",),
    ("timestamp",),
    ("sentAt",),
    ("event",),
    ("traits",),
    ("traits", "email"),
    ("traits", "phone"),
    ("properties",),
    ("context",),
    ("context", "traits"),
    ("context", "traits", "email"),
    ("context", "externalIds"),
    ("context", "device"),
    ("context", "device", "id"),
    ("context", "integrations"),
    ("context", "consent"),
    ("context", "consent", "categoryPreferences"),
    ("integrations",),
    ("__proto__",),
    ("receivedAt",),
    ("profile_id",),
)
_MARK = "@raw@"


def good(user: str, message: str, rng: random.Random) -> dict[str, Any]:
    """A call that has to be kept, whatever stands beside it."""
    return {"type": rng.choice(("track", "identify", "page")), "event": "E", "userId": user, "messageId": message}


def hostile(rng: random.Random) -> str:
    """The JSON text of one hostile item."""
    if rng.random() < 0.1:
        return _text(_value(rng, 3))
    item: Any = {
        "type": rng.choice(KINDS),
        "event": "E",
        "userId": f"h{rng.random()}",
        "messageId": f"hm{rng.random()}",
    }
    for _ in range(rng.randint(1, 4)):
        _put(item, rng.choice(PATHS), _value(rng, rng.randint(0, 3)))
    if rng.random() < 0.1:
        item["traits"] = {f"t{at}": at for at in range(rng.choice((299, 300, 3_000)))}
    if rng.random() < 0.05:
        item["context"] = {"externalIds": [_external(rng) for _ in range(rng.choice((3, 1_100)))]}
    text = _text(item)
    if rng.random() < 0.1:
        text = text[:-1] + ',"userId":"second"}'
    return text


def deep(levels: int) -> str:
    """A call nested so deep."""
    return '{"type":"track","event":"E","userId":"deep","properties":' + '{"a":' * levels + "1" + "}" * levels + "}"


def damaged(body: bytes, rng: random.Random) -> tuple[bytes, dict[str, str]]:
    """A body after an accident, with the headers that go with it."""
    ways: list[Callable[[bytes, random.Random], bytes]] = [_cut, _flip, _insert, _repeat, _wrap, _garbage]
    for _ in range(rng.randint(1, 3)):
        body = rng.choice(ways)(body, rng)
    headers = {"Content-Type": rng.choice(("application/json", "text/plain", "multipart/form-data", "", "a/b;;=\xff"))}
    if rng.random() < 0.3:
        packed = gzip.compress(body, 1)
        body = rng.choice((packed, packed[: len(packed) // 2], packed + packed, packed + b"x", body, b"\x1f\x8b"))
        headers["Content-Encoding"] = rng.choice(("gzip", "gzip", "x-gzip", "br", "gzip, gzip", "identity"))
    return body, headers


def _external(rng: random.Random) -> dict[str, Any]:
    name = rng.choice(("crm", "UPPER", "a" * 60, "", "user_id", "x.y"))
    return {"id": f"e{rng.random()}", "type": name, "collection": "users", "encoding": "none"}


def _put(item: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = item.get(name)
        if not isinstance(inner, dict):
            inner = item[name] = {}
        item = inner
    item[path[-1]] = value


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(8)
    if depth and kind == 0:
        return [_value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    if depth and kind == 1:
        return {rng.choice(TEXTS[:-5]): _value(rng, depth - 1) for _ in range(rng.randint(0, 4))}
    if kind == 2:
        return _MARK + rng.choice(NUMBERS)
    if kind == 3:
        return rng.choice((True, False, None, 0, -1, 1.5, 2**53, 2**63, -(2**63)))
    if kind == 4:
        value: Any = "end"
        for _ in range(rng.choice((10, 100, 500))):
            value = [value]
        return value
    return rng.choice(TEXTS)


def _text(value: Any) -> str:
    text = json.dumps(value)
    for number in NUMBERS:
        text = text.replace(f'"{_MARK}{number}"', number)
    return text


def _cut(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randint(0, len(body))]


def _flip(body: bytes, rng: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _insert(body: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(body))
    return body[:at] + rng.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0", b"\\", b'"', b"{", b"]")) + body[at:]


def _repeat(body: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(body))
    return body[:at] + body[: rng.randint(0, 200)] + body[at:]


def _wrap(body: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"[%s]", b"\xef\xbb\xbf%s", b'{"batch":%s}', b"%s\n%s", b" %s\0")).replace(b"%s", body)


def _garbage(body: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"", b"null", b"[]", b'"x"', b"{}", b"[" * 100_000, b'{"a":' * 20_000, rng.randbytes(100), body))
