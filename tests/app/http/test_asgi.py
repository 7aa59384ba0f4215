"""The front: parts of a path are decoded strictly, and a refusal before the routes is logged with its code."""

import json
from typing import Any

import pytest

from app.http import asgi
from app.http.asgi import decoded
from app.main import create_app
from app.settings import Settings
from identity.values.errors import BadInput


@pytest.mark.parametrize(
    ("part", "text"),
    [("user_id:u1", "user_id:u1"), ("a%2Fb%25", "a/b%"), ("%E2%82%ac", "\u20ac"), ("", ""), ("+", "+")],
)
def test_a_part_of_a_path_is_decoded_as_utf_8(part: str, text: str) -> None:
    """A plus is a plus: only a query writes blanks with it."""
    assert decoded(part) == text


@pytest.mark.parametrize("part", ["%", "a%2", "%zz", "%ff", "%00", "a%e2%82"])
def test_a_part_that_is_not_percent_encoded_is_refused(part: str) -> None:
    """As is a character that no row can hold."""
    with pytest.raises(BadInput):
        decoded(part)


async def served(headers: list[tuple[bytes, bytes]], method: str = "PUT") -> tuple[int, bytes]:
    """The status and the body that the front answers without a database."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {"type": "http", "method": method, "path": "/v1/rules", "raw_path": b"/v1/rules", "headers": headers,
             "query_string": b""}  # fmt: skip
    await create_app(Settings())(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ([(b"content-encoding", b"gzip")], 415, "unsupported_encoding"),
        ([(b"content-length", b"999999999")], 413, "body_too_large"),
        ([(b"content-range", b"bytes 0-1/2")], 400, "partial_put"),
    ],
)
async def test_a_refusal_before_the_routes_is_logged_with_its_code(
    headers: list[tuple[bytes, bytes]], status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every other refusal is."""
    logged: dict[str, Any] = {}
    monkeypatch.setattr(asgi._log, "info", lambda _event, **fields: logged.update(fields))
    answered, body = await served(headers)

    assert (answered, json.loads(body)["code"]) == (status, code)
    assert (logged["status"], logged["code"]) == (status, code)


@pytest.mark.parametrize("encoding", [b"identity", b"Identity", b"IDENTITY", b""])
async def test_the_names_of_codings_have_any_case(encoding: bytes) -> None:
    """And an empty list of codings is none."""
    status, _ = await served([(b"content-encoding", encoding)])

    assert status == 401
