"""The API guide lists every code that a caller can meet, with its status, and no other."""

import re

import pytest

from app.http.error_responses import STATUS
from identity.planning.resolution.extract import REJECTIONS
from identity.planning.resolution.stored_calls import REASONS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
# Codes of HTTP itself and of the collection routes, which no error of the domain has.
OF_HTTP = {
    "invalid_http": 400,
    "head_too_large": 431,
    "head_timeout": 408,
    "body_timeout": 408,
    "body_too_large": 413,
    "empty_body": 400,
    "invalid_gzip": 400,
    "invalid_json": 400,
    "unsupported_encoding": 415,
    "not_an_object": 400,
    "batch_not_a_list": 400,
    "invalid_request": 422,
    "method_not_allowed": 405,
    "too_many_connections": 503,
    "invalid_write_key": 401,
}
OF_DOMAIN = {error.code: status for error, status in STATUS.items()}


def section(title: str) -> str:
    """The text under a heading, up to the next heading of any depth."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def first_cells(title: str) -> set[str]:
    """The first cell of each row of the table under a heading."""
    return set(re.findall(r"^\| `([^`]+)` \|", section(title), re.MULTILINE))


def test_every_error_code_is_listed_with_its_status() -> None:
    """The tables of errors hold each code of `identity.errors` and of HTTP with the status it is answered with."""
    listed: dict[str, int] = {}
    for title in ("Requests that cannot be read", "Errors of operations"):
        for code, status in re.findall(r"^\| `(\w+)` \| (\d{3}) \|", section(title), re.MULTILINE):
            assert code not in listed, code
            listed[code] = int(status)
    listed |= {code: int(status) for code, status in re.findall(r"`(\w+)` (\d{3})", section("Codes for logs"))}

    assert listed == OF_DOMAIN | OF_HTTP


def test_every_rejection_reason_is_listed() -> None:
    """The table of rejections holds each reason for which a call is refused, and no other."""
    assert first_cells("Rejection reasons") == {*REJECTIONS, "too_large"}


def test_every_demotion_reason_is_listed() -> None:
    """The table of demotions holds each reason for which an identifier is not linked, and no other."""
    assert first_cells("Demotion reasons") == {*REASONS, "suppressed"} - {"limit"} | {"limit:<type>"}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/profiles/lookup", "/v1/rules", "/v1/keys", "/openapi.json"])
def test_the_guide_names_the_route(path: str) -> None:
    """A reader finds the most used routes on the page."""
    assert path in PAGE
