"""The API guide lists every code that a caller can meet, with its status, and no other."""

import re

import pytest

from app.http.error_responses import STATUS
from identity.planning.resolution.call_requirements import REJECTIONS
from identity.planning.resolution.rejections import (
    IGNORED_TIMESTAMP,
    INVALID_SIGNAL,
    LOST_BODIES,
    MENDED_VALUE,
    NO_IDENTIFIER,
    NO_USABLE_IDENTIFIER,
    TRAIT_LIMIT,
)
from identity.planning.resolution.stored_calls import REASONS
from identity.values.enums import HIDDEN, UnlinkedReason
from identity.values.fields.ignored_fields import FIELD_REASONS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
REASONS_PAGE = (ROOT / "docs" / "reasons.md").read_text()
# Codes of HTTP itself and of the collection routes, which no error of the domain has.
OF_HTTP = {
    "invalid_http": 400,
    "invalid_host": 400,
    "unsupported_version": 505,
    "unsupported_method": 501,
    "unsupported_transfer_encoding": 501,
    "partial_put": 400,
    "head_too_large": 431,
    "head_timeout": 408,
    "body_timeout": 408,
    "body_too_large": 413,
    "empty_body": 400,
    "inflates_too_much": 413,
    "invalid_gzip": 400,
    "invalid_json": 400,
    "unsupported_encoding": 415,
    "not_an_object": 400,
    "batch_not_a_list": 400,
    "invalid_request": 422,
    "unknown_field": 422,
    "repeated_field": 422,
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


def test_the_table_of_reasons_holds_every_reason_and_no_other() -> None:
    """Reasons of calls, bodies, identifiers and values; each says what is lost, why, and what to do."""
    listed = re.findall(r"^\| `([^`]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", REASONS_PAGE, re.MULTILINE)
    about: dict[str, set[str]] = {}
    for reason, lost, _, _ in listed:
        about.setdefault(lost, set()).add(reason)
    assert sum(map(len, about.values())) == len(listed)
    assert about == {
        "call": {*REJECTIONS, "too_large", NO_IDENTIFIER, NO_USABLE_IDENTIFIER, *HIDDEN},
        "body": LOST_BODIES,
        "identifier": {*UnlinkedReason} - {"limit"} | {"limit:<type>"},
        "value": {TRAIT_LIMIT, IGNORED_TIMESTAMP, MENDED_VALUE, INVALID_SIGNAL, *FIELD_REASONS},
    }


def test_every_reason_that_evidence_stores_is_a_reason_of_the_enum() -> None:
    """A stored number has a name on the wire."""
    assert REASONS.keys() <= {*UnlinkedReason}


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/profiles/lookup", "/v1/rules", "/v1/keys", "/openapi.json"])
def test_the_guide_names_the_route(path: str) -> None:
    """A reader finds the most used routes on the page."""
    assert path in PAGE
