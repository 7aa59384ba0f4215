"""Bodies are read up to a limit, as sent and as inflated, and parsed to plain values."""

import asyncio
import gzip
import json
import random
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from app.http import body as bodies
from app.http.body import BODY_LIMIT, FREE_OF_RATIO, MOST_DEPTH, Disconnected, decode, decode_calls, read
from app.http.error_responses import Unreadable


def received(parts: list[bytes], encoding: bytes | None = None) -> bytes:
    """What is read of a body that comes in these parts."""
    messages: Iterator[dict[str, Any]] = iter(
        [
            {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
            for number, part in enumerate(parts)
        ]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    return asyncio.run(read(receive, encoding))


def split(body: bytes, size: int) -> list[bytes]:
    """A body in parts of a size."""
    return [body[at : at + size] for at in range(0, len(body), size)]


def refusal(parts: list[bytes], encoding: bytes | None = None) -> str:
    """The code with which a body is refused."""
    with pytest.raises(Unreadable) as refused:
        received(parts, encoding)
    return refused.value.code


def test_a_body_in_parts_is_read_as_a_whole() -> None:
    """Empty parts change nothing."""
    assert received([b"ab", b"", b"c"]) == b"abc"


@pytest.mark.parametrize("size", [BODY_LIMIT, 10_000])
def test_a_body_of_the_limit_is_read(size: int) -> None:
    """In parts of any size."""
    assert len(received(split(bytes(BODY_LIMIT), size))) == BODY_LIMIT


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, 10_000])
def test_a_body_over_the_limit_is_refused(size: int) -> None:
    """One byte more is refused, in one part or in many."""
    assert refusal(split(bytes(BODY_LIMIT + 1), size)) == "body_too_large"


def test_reading_stops_at_the_limit() -> None:
    """Parts after the limit are not read."""
    endless = [bytes(1_000)] * 10_000

    assert refusal(endless) == "body_too_large"


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_gzip_body_is_inflated(size: int) -> None:
    """However it is cut."""
    assert received(split(gzip.compress(b"abc" * 99), size), b"gzip") == b"abc" * 99


def test_a_gzip_body_may_inflate_to_the_limit() -> None:
    """The limit itself is allowed."""
    digits = random.Random(1).randbytes(BODY_LIMIT // 2).hex().encode()

    assert received([gzip.compress(digits)], b"gzip") == digits


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_gzip_body_inflates_100_times_its_size(size: int) -> None:
    """What goes beyond is refused, however the body is cut; a result of 256 KiB is read whatever the ratio."""
    assert received(split(gzip.compress(bytes(FREE_OF_RATIO)), size), b"gzip") == bytes(FREE_OF_RATIO)
    assert refusal(split(gzip.compress(bytes(BODY_LIMIT)), size), b"gzip") == "inflates_too_much"


def test_a_batch_of_equal_calls_inflates_less_than_the_limit() -> None:
    """A batch of SDKs, where calls differ by message id and time alone and have 4 KB of context in common."""
    common = {"flags": {f"flag-{n}": n % 2 == 0 for n in range(220)}}
    seed = random.Random(2)
    batch = [
        {"type": "track", "event": "E", "userId": "u1", "messageId": seed.randbytes(16).hex(), "context": common}
        for _ in range(110)
    ]
    body = json.dumps({"batch": batch}).encode()

    assert BODY_LIMIT * 0.8 < len(body) < BODY_LIMIT
    assert received([gzip.compress(body, 9)], b"gzip") == body


@pytest.mark.parametrize("token", [b"1e308", b"-1.7976931348623157e308", b"5e-324", b"0." + b"3" * 700])
def test_the_standard_library_reads_floats(token: bytes) -> None:
    """The own reading of the parser takes 17 microseconds for a token at the edge of the doubles."""
    assert bodies._decoder.float_hook is bodies._finite
    assert decode(b"[%s]" % token) == [float(token)]


@pytest.mark.parametrize(("inflated", "code"), [(BODY_LIMIT + 1, "inflates_too_much"), (20_000_000, "body_too_large")])
def test_a_gzip_body_that_inflates_beyond_the_limit_is_refused(inflated: int, code: str) -> None:
    """Without being inflated in full."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(compressor.compress(bytes(min(1_000_000, inflated - at))) for at in range(0, inflated, 1_000_000))

    assert refusal([bomb + compressor.flush()], b"gzip") == code


@pytest.mark.parametrize(
    "broken",
    [
        gzip.compress(b"abc", mtime=0)[:-1],
        gzip.compress(b"abc", mtime=0) + b"x",
        gzip.compress(b"abc", mtime=0) + gzip.compress(b"def", mtime=0),
        zlib.compress(b"abc"),
        b"abc",
        b"",
    ],
    ids=["cut", "longer", "two members", "zlib", "plain", "empty"],
)
def test_anything_but_one_gzip_stream_is_refused(broken: bytes) -> None:
    """Cut, followed by more, or no gzip."""
    assert refusal([broken], b"gzip") == "invalid_gzip"


@pytest.mark.parametrize("encoding", [b"br", b"deflate", b"gzip, gzip", b"br, gzip"])
def test_another_encoding_is_refused(encoding: bytes) -> None:
    """Only gzip is inflated."""
    assert refusal([b"abc"], encoding) == "unsupported_encoding"


async def test_a_client_that_disconnects_has_sent_no_body() -> None:
    """Reading raises Disconnected."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Disconnected):
        await read(receive)


async def test_a_body_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a code of its own."""
    monkeypatch.setattr("app.http.body.BODY_SECONDS", 0)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"", "more_body": True}

    with pytest.raises(Unreadable) as refused:
        await read(receive)

    assert refused.value.code == "body_timeout"


@pytest.mark.parametrize(
    "raw",
    [
        b"{", b"{}x", b"\xff", b'"\xed\xa0\x80"', b'"\\ud800"', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e999}',
        b"\xef\xbb\xbf{}", b"9" * 5_000, b"[" * 100_000, b'{"a":' * 50_000,
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_is_refused(raw: bytes) -> None:
    """Also one that is beyond every parser."""
    with pytest.raises(Unreadable) as refused:
        decode(raw)

    assert refused.value.code == "invalid_json"


def test_an_empty_body_has_its_own_code() -> None:
    """It is not reported as invalid JSON."""
    with pytest.raises(Unreadable) as refused:
        decode(b"")

    assert refused.value.code == "empty_body"


def test_the_last_of_repeated_names_counts() -> None:
    """As in most parsers."""
    assert decode(b'{"a":1,"a":2}') == {"a": 2}


@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "1" * 400])
def test_a_whole_number_beyond_64_bits_keeps_all_digits(number: str) -> None:
    """As text, wherever it is."""
    assert decode(f'{{"context": {{"a": [{number}]}}}}'.encode()) == {"context": {"a": [number]}}


def test_nesting_is_accepted_up_to_a_depth() -> None:
    """That leaves room for every later reader."""
    deepest = b"[" * MOST_DEPTH + b"]" * MOST_DEPTH

    assert isinstance(decode(deepest), list)
    assert sys.getrecursionlimit() - MOST_DEPTH > 200
    with pytest.raises(Unreadable):
        decode(b"[" + deepest + b"]")


def test_many_objects_are_not_deep() -> None:
    """Objects side by side are no nesting."""
    assert len(decode(b"[" + b"{}," * 5_000 + b"{}]")) == 5_001


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (rb'["u\ud800x"]', ["u\0x"]),
        (rb'["\uDFFF"]', ["\0"]),
        (rb'["\ud83d\ude00 \ud83d"]', ["\U0001f600 \0"]),
        (rb'["\ud83d\ud83d\ude00"]', ["\0\U0001f600"]),
        (rb'["\\ud800", "\ud800"]', [r"\ud800", "\0"]),
        (rb'{"a\udc00": 1}', {"a\0": 1}),
    ],
)
def test_half_a_pair_spoils_one_text(raw: bytes, value: object) -> None:
    """The rest of the body is read; whole pairs and other escapes stay."""
    assert decode_calls(raw).body == value


@pytest.mark.parametrize("raw", [rb'["\ud800"', rb"[\ud800]", rb'["\ud8"]', b""])
def test_half_a_pair_excuses_no_other_fault(raw: bytes) -> None:
    """A body that is no JSON is refused."""
    with pytest.raises(Unreadable):
        decode_calls(raw)
