"""Connections go to checked addresses alone, and bring no more bytes than are read of a response."""

import asyncio

import httpcore
import pytest

from identity.values.errors import Undelivered
from identity.webhooks.pinned_connection import CheckedBackend

HOST = "hooks.example.org"


async def test_only_the_checked_host_is_connected_to() -> None:
    """Another name, or a socket of the machine, is refused without a lookup."""
    backend = CheckedBackend(HOST, ["127.0.0.1"], 10)
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_tcp("localhost", 443)
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_unix_socket("/run/other.sock")


async def test_a_stream_ends_with_the_most_bytes() -> None:
    """Over however many reads they come; exactly so many are read."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 11)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        for most, fails in ((11, False), (10, True)):
            stream = await CheckedBackend(HOST, ["127.0.0.1"], most).connect_tcp(HOST, port, 5)
            read = b""
            try:
                while data := await stream.read(4, 5):
                    read += data
            except Undelivered:
                assert fails
            else:
                assert read == b"x" * 11
            await stream.aclose()
            assert len(read) == (8 if fails else 11)


async def test_the_error_of_the_last_address_is_raised() -> None:
    """No address at all is an error too."""
    with pytest.raises(httpcore.ConnectError):
        await CheckedBackend(HOST, [], 10).connect_tcp(HOST, 443)
    with pytest.raises(httpcore.ConnectError):
        await CheckedBackend(HOST, ["127.0.0.2"], 10).connect_tcp(HOST, 1, 5)
