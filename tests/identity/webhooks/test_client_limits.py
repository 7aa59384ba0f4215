"""However slowly, long or oddly a callback answers, it is cut off, and what fits is read whole."""

import asyncio

import pytest

from identity.values.errors import Undelivered
from identity.webhooks.client import LONGEST, CallbackAnswer
from tests.support.webhooks.one_post import called
from tests.support.webhooks.tls_server import Act, telling


async def _silent(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


def _endless(head: bytes, part: bytes) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(part)
            await writer.drain()

    return act


def test_a_slow_response_is_cut_off_in_time() -> None:
    """A callback that says nothing, or says it drop by drop, is cut off in time."""
    for act in (_silent, _dripping):
        error, _ = called(act, seconds=0.4)
        assert isinstance(error, Undelivered)
        assert "in time" in str(error)


CHUNK = b"400\r\n" + b"x" * 1024 + b"\r\n"


@pytest.mark.parametrize(
    "act",
    [
        telling(b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n" + b"x" * 300_000),
        _endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4096),
        _endless(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", CHUNK),
        _endless(b"", b"HTTP/1.1 102 Wait\r\nx: " + b"x" * 4096 + b"\r\n\r\n"),
        _endless(b"HTTP/1.1 200 OK\r\n", b"x: " + b"x" * 1024 + b"\r\n"),
    ],
    ids=["stated", "to the end", "chunks", "before the answer", "headers"],
)
def test_an_endless_response_is_cut_off_by_length(act: Act) -> None:
    """An answer that does not end is cut off in length, whichever part of it is endless."""
    error, _ = called(act, seconds=60)

    assert isinstance(error, Undelivered)
    assert "in time" not in str(error)


def test_a_response_of_the_greatest_length_is_read_whole() -> None:
    """An answer that just fits is read whole."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"
    size = LONGEST - len(head % LONGEST)
    answer, _ = called(telling(head % size + b"x" * size))

    assert isinstance(answer, CallbackAnswer)
    assert len(answer.body) == size


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200", b"\0" * 99, b"HTTP/1.1 abc\r\n\r\n"])
def test_a_response_that_is_not_http_is_undelivered(answer: bytes) -> None:
    """What does not answer in HTTP did not take the message."""
    error, _ = called(telling(answer))

    assert isinstance(error, Undelivered)
