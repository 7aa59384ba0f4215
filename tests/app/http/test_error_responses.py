"""Every error has a status, and no answer repeats anything of the request."""

import httpx
import pytest
from pydantic import SecretStr

from app.http.error_responses import RETRY_AFTER, STATUS, status_of
from app.http.ingest_endpoint import IngestEndpoint
from app.main import create_app
from app.settings import Settings
from identity.operations.spaces.manage_spaces import Caller
from identity.values import errors, not_ready
from identity.values.errors import BadInput, OnefoldError

ERRORS = [
    each
    for each in (*vars(errors).values(), *vars(not_ready).values())
    if isinstance(each, type) and issubclass(each, OnefoldError)
]
PLANTED = "ann@example.com"


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_status(error: type[OnefoldError]) -> None:
    """A row of its own in the table."""
    assert error in STATUS


def test_an_error_without_a_row_has_the_status_of_its_base() -> None:
    """The nearest base class counts."""

    class Odd(BadInput):
        """Odd."""

    assert status_of(Odd()) == STATUS[BadInput]


@pytest.mark.parametrize("status", [429, 503])
def test_a_passing_refusal_names_whole_seconds(status: int) -> None:
    """At least one."""
    assert RETRY_AFTER[status] >= 1


class Failing:
    """Stands in for the check of keys, and raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def caller(self, _secret: str) -> Caller:
        """Raise it."""
        raise self.error


async def _post(error: Exception, path: str) -> httpx.Response:
    front = create_app(Settings(admin_token=SecretStr("x" * 16)))
    front.onefold.keys = Failing(error)  # type: ignore[assignment]
    front.ingest_endpoint = IngestEndpoint(front.onefold)
    transport = httpx.ASGITransport(front)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"Authorization": "Bearer of_x"}
        return await client.request("POST" if "track" in path else "GET", path, content=b"{}", headers=headers)


@pytest.mark.parametrize("path", ["/v1/track", "/v1/rules"])
@pytest.mark.parametrize("error", [RuntimeError(PLANTED), errors.OnefoldError(PLANTED)])
async def test_an_unforeseen_error_is_a_500_without_details(path: str, error: Exception) -> None:
    """Its message appears nowhere."""
    answer = await _post(error, path)

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert PLANTED not in answer.text


@pytest.mark.parametrize("error", [errors.QueueFull(), errors.DatabaseUnavailable()])
@pytest.mark.parametrize("path", ["/v1/track", "/v1/rules"])
async def test_a_full_queue_and_an_outage_ask_the_client_to_wait(error: OnefoldError, path: str) -> None:
    """In both headers that SDKs read."""
    answer = await _post(error, path)

    assert answer.status_code == STATUS[type(error)]
    assert answer.json()["code"] == error.code
    assert int(answer.headers["retry-after"]) == int(answer.headers["x-ratelimit-reset"]) >= 1
