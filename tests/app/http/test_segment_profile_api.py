"""Parameters and errors have the form of Segment's Profile API, and a message repeats no value."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.segment_profile_api import covers, failure, list_parameters, one_of_names, request_id
from identity.values.errors import BadParameter


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        ("/v1/spaces/spc_1/collections/users/profiles", True), ("/v1/spaces/spc_1/collections/", True),
        ("/v1/spaces/spc_1/collections", True), ("/v1/spaces/spc_1/collectionsx", False),
        ("/v1/spaces/a/b/collections/users", False), ("/v1/profiles/collections/", False),
    ],
)  # fmt: skip
def test_the_surface_is_everything_below_the_collections_of_a_space(path: str, covered: bool) -> None:  # noqa: FBT001
    """The path decides alone, so an address without a route is answered in the same form."""
    assert covers(path) is covered


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unauthorised", "authentication_error"), (404, "route_not_found", "not_found"),
        (400, "bad_cursor", "validation_error"), (400, "something_else", "invalid_request_error"),
        (429, "rate_limited", "rate_limit_error"), (503, "key_unavailable", "unavailable"),
    ],
)  # fmt: skip
def test_an_error_has_the_kinds_of_segment(status: int, code: str, kind: str) -> None:
    """Every status has one kind; what is not found is a profile."""
    error = json.loads(failure(status, code, "Words."))["error"]

    assert error == {"code": kind, "message": "Profile was not found." if status == 404 else "Words."}


def test_parameters_that_are_not_given_have_their_defaults() -> None:
    """An empty time or list is not given."""
    found = list_parameters([("start", ""), ("include", ","), ("next", "")], 10, 100)

    assert (found.limit, found.include, found.start, found.next, found.verbose) == (10, frozenset(), None, None, False)


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00 02:00"])
def test_a_plus_sign_that_was_not_encoded_is_read_as_one(text: str) -> None:
    """Clients forget to encode the plus sign of a time zone."""
    assert list_parameters([("start", text)], 10, 100).start == 1_769_853_600_000_000


@pytest.mark.parametrize(
    "query",
    [
        [("limit", "0")], [("limit", "101")], [("limit", "1e1")], [("limit", "٣")], [("verbose", "yes")],
        [("sort", "up")], [("class", "cohort")], [("end", "yesterday")], [("limit", "1"), ("limit", "2")],
        [("include", "x" * 10_001)], [("start", "2026-02-01"), ("end", "2026-01-01")],
    ],
)  # fmt: skip
def test_an_invalid_parameter_is_named_and_its_value_is_not(query: list[tuple[str, str]]) -> None:
    """The name is in the message, the value in no part of it."""
    with pytest.raises(BadParameter) as refusal:
        list_parameters(query, 10, 100)

    name, value = query[-1]
    assert f"`{name}`" in str(refusal.value)
    assert len(value) < 3 or value not in str(refusal.value)


@given(st.text(min_size=33), st.text())
def test_a_message_never_repeats_a_name_that_was_made_up(name: str, value: str) -> None:
    """A long or odd name could hold personal data."""
    with pytest.raises(BadParameter) as refusal:
        list_parameters([(name, value), (name, value)], 10, 100)

    assert "`?`" in str(refusal.value)


@given(st.text())
def test_a_wrong_part_of_the_path_shows_single_invalid_characters_only(value: str) -> None:
    """Letters and digits of the part are never repeated."""
    if value in ("users", "accounts"):
        assert one_of_names("collection", value, ("users", "accounts")) == value
        return
    with pytest.raises(BadParameter) as refusal:
        one_of_names("collection", value, ("users", "accounts"))

    shown = re.findall(r"character\(s\) `(.*)`", str(refusal.value))
    assert not any(char.isalnum() for text in shown for char in text)


def test_every_answer_has_an_id_of_its_own() -> None:
    """The header is that of Segment."""
    ids = [request_id() for _ in range(3)]

    assert {name for name, _ in ids} == {b"request-id"}
    assert len({value for _, value in ids}) == 3
