"""Reads request bodies up to a limit, as they stream in and as they inflate, and parses them to plain values.

A parsed value is shallow enough for any recursive reader, and contains no number that another
program would round.
"""

import asyncio
import math
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

import msgspec

from app.http.error_responses import Unreadable
from app.http.json_errors import explain_json, no_text
from app.http.mended_json import MendedBody, collect, mend
from identity.planning.resolution.big_integers import has_big_number, tame

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BODY_LIMIT: Final = 500 * 1024
EMPTY: Final = "The body is empty; send a JSON object."
# The limit of messages that need no key.
MESSAGE_LIMIT: Final = 4 * 1024
# The time for the whole body, from the end of the headers.
BODY_SECONDS: Final = 30
# Python allows 1,000 frames, and a stored value is read again from a deeper stack.
MOST_DEPTH: Final = 700
# A gzip body may inflate to so many times its size; a smaller result is read whatever the ratio. Batches of SDKs
# inflate 15 to 20 times, equal calls with a long common context up to 100 times.
MOST_RATIO: Final = 100
FREE_OF_RATIO: Final = 256 * 1024
_GZIP_ONLY: Final = 31


def encoding_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The Content-Encoding of a request in small letters; None without one, or where it is `identity` or empty."""
    values = b",".join(value for name, value in headers if name == b"content-encoding").lower().split(b",")
    named = [each.strip() for each in values]
    return b", ".join(each for each in named if each not in (b"", b"identity")) or None


def _finite(text: str) -> float:
    """The number of a token. ValueError where no double holds the number."""
    number = float(text)
    if math.isinf(number):
        raise ValueError
    return number


# The own reading of floats of the library takes 17 microseconds for a token such as 1e308.
_decoder: Final = msgspec.json.Decoder(float_hook=_finite)
_decode = _decoder.decode


class Disconnected(Exception):
    """The client disconnected before its body was whole."""


async def read(
    receive: Receive, encoding: bytes | None = None, length: bytes | None = None, limit: int = BODY_LIMIT
) -> bytes:
    """Read the whole body and inflate it. Unreadable if it is too large, too slow or badly encoded.

    A Content-Length (`length`) above the limit is refused before anything is read.
    """
    if length is not None and (not length.isdigit() or int(length[:20]) > limit):
        raise _too_large(limit)
    if encoding is None:
        take: Callable[[bytes], bytes] = bytes
        inflating = None
    elif encoding in (b"gzip", b"x-gzip"):
        inflating = _Inflating(limit)
        take = inflating.take
    else:
        raise Unreadable(
            "unsupported_encoding",
            "The Content-Encoding is not supported; send gzip, applied once, or no encoding.",
            415,
        )
    try:
        async with asyncio.timeout(BODY_SECONDS):
            message = await receive()
            body = _part(message, take)
            _check_size(body, limit)
            if message.get("more_body", False):
                body = await _rest(receive, body, take, limit)
    except TimeoutError:
        raise Unreadable("body_timeout", "The body took too long to arrive; send it within 30 seconds.", 408) from None
    if inflating is not None:
        inflating.end()
    return body


def decode(raw: bytes) -> Any:
    """Parse a body to plain values; of repeated names the last counts. Unreadable if it is no JSON."""
    if not raw:
        raise Unreadable("empty_body", EMPTY)
    try:
        value = _decode(raw)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        raise Unreadable("invalid_json", explain_json(raw)) from None
    except RecursionError:
        raise too_deep() from None
    if len(raw) > 2 * MOST_DEPTH and raw.count(b"{") + raw.count(b"[") > MOST_DEPTH and _is_deep(value):
        raise too_deep()
    return tame(value) if has_big_number(raw) else value


def decode_calls(raw: bytes) -> MendedBody:
    """A body of the collection surface, where a token that no JSON can hold spoils one value and not the batch.

    `mended_json` says what is mended. Unreadable as `decode` says for everything else.
    """
    try:
        return MendedBody(decode(raw), {}, 0)
    except Unreadable:
        mended = mend(raw)
        if mended == raw or no_text(raw) is not None:
            raise
        return collect(decode(mended))


def too_deep() -> Unreadable:
    """Return the refusal of a body that nests too deeply to be read again."""
    return Unreadable("invalid_json", f"The body is nested too deeply; {MOST_DEPTH} levels are the most.")


class _Inflating:
    def __init__(self, limit: int) -> None:
        self._inflate = zlib.decompressobj(_GZIP_ONLY)
        self._limit = limit
        self._taken = 0
        self._given = 0

    def take(self, part: bytes) -> bytes:
        self._taken += len(part)
        if self._taken > self._limit:
            raise _too_large(self._limit)
        most = max(FREE_OF_RATIO, MOST_RATIO * self._taken)
        try:
            out = self._inflate.decompress(part, min(self._limit, most) - self._given + 1)
        except zlib.error:
            raise _no_gzip() from None
        self._given += len(out)
        if self._given > self._limit:
            raise _too_large(self._limit)
        if self._given > most:
            raise _inflates_too_much()
        return out

    def end(self) -> None:
        if not self._inflate.eof or self._inflate.unused_data:
            raise _no_gzip()


async def _rest(receive: Receive, first: bytes, take: Callable[[bytes], bytes], limit: int) -> bytes:
    body = bytearray(first)
    more = True
    while more:
        message = await receive()
        body += _part(message, take)
        _check_size(body, limit)
        more = message.get("more_body", False)
    return bytes(body)


def _part(message: MutableMapping[str, Any], take: Callable[[bytes], bytes]) -> bytes:
    if message["type"] != "http.request":
        raise Disconnected
    return take(message.get("body", b""))


def _check_size(body: bytes | bytearray, limit: int) -> None:
    if len(body) > limit:
        raise _too_large(limit)


def _is_deep(value: Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MOST_DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if type(holder) is dict else holder)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return False
    return True


def _too_large(limit: int = BODY_LIMIT) -> Unreadable:
    return Unreadable(
        "body_too_large", f"The body is too large; send at most {limit} bytes, counted uncompressed.", 413
    )


def _inflates_too_much() -> Unreadable:
    return Unreadable(
        "inflates_too_much",
        f"The gzip body inflates to more than {MOST_RATIO} times its size; send it plain, or in smaller batches.",
        413,
    )


def _no_gzip() -> Unreadable:
    return Unreadable(
        "invalid_gzip", "The body is not one whole gzip stream; compress it again or send it uncompressed."
    )
