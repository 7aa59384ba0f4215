"""A native route refuses what it would not use."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Query, Request
from httpx import ASGITransport, AsyncClient, Response

from app.http.error_responses import Unreadable
from app.http.known_parameters import is_foreign, require_known
from identity.values.errors import BadParameter
from identity.values.unknown_names import UnknownParameter


async def ask(method: str, path: str, content: str = "") -> Response:
    """The answer of an app with a native list, a native creation and a foreign route."""
    app = FastAPI(dependencies=[Depends(require_known)])

    @app.get("/v1/things")
    async def things(*, limit: int = 5, only: Annotated[list[str] | None, Query()] = None) -> Any:
        return {"limit": limit, "only": only}

    @app.post("/v1/made", openapi_extra={"requestBody": {}})
    async def made(request: Request) -> Any:
        return (await request.body()).decode()

    @app.get("/opendsr/v1/status")
    async def status() -> Any:
        return {}

    async with AsyncClient(transport=ASGITransport(app), base_url="http://onefold") as client:
        return await client.request(method, path, content=content)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?limits=2", "Did you mean .?limit"),
        ("?limit=2&limit=3", "`limit` is given more than once"),
    ],
)
async def test_an_unknown_or_repeated_parameter_is_named(query: str, message: str) -> None:
    """A list may repeat its parameter."""
    with pytest.raises((BadParameter, UnknownParameter), match=message):
        await ask("GET", f"/v1/things{query}")
    assert (await ask("GET", "/v1/things?limit=2&only=a&only=b")).json() == {"limit": 2, "only": ["a", "b"]}


async def test_a_body_that_no_route_reads_is_refused() -> None:
    """An empty one is what some clients always send."""
    for empty in ("", " {} ", "null"):
        assert (await ask("GET", "/v1/things", empty)).status_code == 200
    with pytest.raises(Unreadable, match="Its query parameters are limit, only"):
        await ask("GET", "/v1/things", content='{"limit": 2}')
    assert (await ask("POST", "/v1/made", "any")).json() == "any"


async def test_foreign_formats_ignore_what_they_do_not_know() -> None:
    """As their specifications say."""
    assert (await ask("GET", "/opendsr/v1/status?x=1", "x")).status_code == 200
    assert [is_foreign(path) for path in ("/v1/projects/p/sources", "/v1/profiles")] == [True, False]
