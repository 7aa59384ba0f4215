"""Invalid parameters: what each may be, with its bounds, and never its value."""

from typing import Annotated, Any, Literal

import pytest
from fastapi import FastAPI, Header, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from httpx import ASGITransport, AsyncClient, Response
from starlette.requests import Request

from app.http.parameter_errors import bare, describe_faults

api = FastAPI()


@api.get("/things/{number}")
def things(
    number: int,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 1,
    name: Annotated[str | None, Query(min_length=2, max_length=5)] = None,
    wanted: Annotated[bool, Query()] = False,  # noqa: FBT002
    kind: Literal["a", "b"] = "a",
    *,
    word: Annotated[str, Query(min_length=1)],
    x_size: Annotated[float | None, Header()] = None,
) -> str:
    """One parameter of each kind."""
    return f"{number}{limit}{name}{wanted}{kind}{word}{x_size}"


@api.exception_handler(RequestValidationError)
async def explain(request: Request, error: Any) -> PlainTextResponse:
    """The sentence alone."""
    return PlainTextResponse(describe_faults(request.scope["route"], error.errors()), 422)


async def asked(path: str, headers: dict[str, str] | None = None) -> Response:
    """The answer to a request."""
    async with AsyncClient(transport=ASGITransport(api), base_url="http://x") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "headers", "sentence"),
    [
        ("/things/x?word=w", {}, "The part of the path `number` must be a whole number."),
        ("/things/1?word=w&limit=ann", {}, "The query parameter `limit` must be a whole number from 1 to 1,000."),
        ("/things/1?word=w&limit=0", {}, "The query parameter `limit` must be a whole number from 1 to 1,000."),
        ("/things/1?word=w&name=a", {}, "The query parameter `name` must have 2 to 5 characters."),
        ("/things/1?word=w&wanted=ann", {}, "The query parameter `wanted` must be true or false."),
        ("/things/1?word=w&kind=ann", {}, "The query parameter `kind` must be one of a, b."),
        ("/things/1", {}, "The query parameter `word` is missing; it must have 1 characters or more."),
        ("/things/1?word=", {}, "The query parameter `word` must have 1 characters or more."),
        ("/things/1?word=w", {"x-size": "ann"}, "The header `x-size` must be a number."),
    ],
)
async def test_a_fault_names_the_parameter_and_what_it_may_be(
    path: str, headers: dict[str, str], sentence: str
) -> None:
    """The value may be personal data, so it is not repeated."""
    answer = await asked(path, headers)

    assert (answer.status_code, answer.text) == (422, sentence)


async def test_every_fault_has_a_sentence() -> None:
    """Once each."""
    text = (await asked("/things/x?limit=0&kind=c")).text

    assert [text.count(f"`{name}`") for name in ("number", "limit", "kind", "word")] == [1, 1, 1, 1]


def test_an_optional_annotation_is_that_of_its_value() -> None:
    """A union of two kinds stays."""
    assert (bare(int | None), bare(int), bare(int | str)) == (int, int, int | str)
