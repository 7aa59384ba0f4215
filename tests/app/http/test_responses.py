"""Answers that are sent as they are generated."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.http.responses import Streamed, answer


async def test_a_stream_that_fails_is_broken_off_and_closed() -> None:
    """Its last message never comes, so the client sees that a part is missing."""
    closed: list[bool] = []

    async def pieces(fails: bool) -> AsyncGenerator[bytes]:  # noqa: FBT001
        try:
            yield b"one"
            if fails:
                raise OSError
            yield b"two"
        finally:
            closed.append(True)

    async def sent(fails: bool) -> list[Any]:  # noqa: FBT001
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        stream = Streamed(pieces(fails), "text/csv", {"x-name": "v"})
        if fails:
            with pytest.raises(OSError, match=r"^$"):
                await stream({}, None, send)  # type: ignore[arg-type]
        else:
            await stream({}, None, send)  # type: ignore[arg-type]
        return messages

    head, *whole = await sent(fails=False)
    assert (b"x-name", b"v") in head["headers"]
    assert b"content-length" not in dict(head["headers"])
    assert [each["body"] for each in whole] == [b"one", b"two", b""]
    assert [each.get("more_body", False) for each in whole] == [True, True, False]
    assert [each.get("body") for each in await sent(fails=True)] == [None, b"one"]
    assert closed == [True, True]


def test_an_answer_is_json_with_its_status() -> None:
    """200 where none is given."""
    given = answer({"a": None}, 202)
    assert (given.status_code, given.body, given.media_type) == (202, b'{"a":null}', "application/json")
    assert answer([]).status_code == 200
