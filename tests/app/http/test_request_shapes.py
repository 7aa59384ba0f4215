"""A document in another shape than the request is explained; fields that nobody knows are refused at any depth."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from app.http.error_responses import Unreadable
from app.http.request_shapes import read_shape


class Inner(Struct, forbid_unknown_fields=True):
    """A part of a request."""

    id: str
    class_: Literal["ads", "analytics"] = msgspec.field(name="class", default="ads")


class Outer(Struct, forbid_unknown_fields=True):
    """A request."""

    identifiers: list[str]
    law: Literal["gdpr", "ccpa"] = "gdpr"
    parts: list[Inner] = []
    by_name: dict[str, Inner] = {}
    days: Annotated[int, Meta(ge=1, le=10)] | None = None
    free: Any = None


class Liberal(Struct):
    """A request in a format of others."""

    identifiers: list[str] = []


def refusal(document: Any, shape: type[Struct] = Outer) -> tuple[str, str]:
    """The code and the message of the refusal."""
    with pytest.raises(Unreadable) as refused:
        read_shape(document, shape)
    assert refused.value.status == 422
    return refused.value.code, str(refused.value)


@pytest.mark.parametrize(
    ("document", "code", "fragments"),
    [
        ({"identifers": []}, "unknown_field", ["`identifers`", "identifiers?"]),
        ({"identifiers": [], "parts": [{"id": "a", "clas": "ads"}]}, "unknown_field", ["`clas`", "parts[0]", "class?"]),
        ({"identifiers": [], "by_name": {"x": {"idd": "a"}}}, "unknown_field", ["`idd`", "by_name[...]", "id?"]),
        ({"identifiers": [], "xyzzy": 1}, "unknown_field", ["`xyzzy`", "identifiers", "law"]),
        ({"identifiers": [], "ann@example.org": 1}, "unknown_field", ["unusual name"]),
        ({"law": "gdpr"}, "invalid_request", ["`identifiers`", "missing"]),
        ({"identifiers": [], "parts": [{}]}, "invalid_request", ["`id`", "parts[0]", "missing"]),
        ({"identifiers": "user_id:u1"}, "invalid_request", ["identifiers", "array"]),
        ({"identifiers": [1]}, "invalid_request", ["identifiers", "str"]),
        ({"identifiers": [], "law": "hipaa"}, "invalid_request", ["law", "ccpa, gdpr"]),
        ({"identifiers": [], "parts": [{"id": "a", "class": "x"}]}, "invalid_request", ["parts", "ads, analytics"]),
        ({"identifiers": [], "days": 0}, "invalid_request", ["days", "1"]),
        ({"identifiers": None}, "invalid_request", ["identifiers", "null"]),
        ([], "invalid_request", ["The body", "object"]),
        (None, "invalid_request", ["The body", "object"]),
    ],
)
def test_the_place_and_what_is_allowed_are_named(document: Any, code: str, fragments: list[str]) -> None:
    """With the nearest known field, or the allowed values."""
    found, message = refusal(document)
    assert found == code
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize(
    "document",
    [
        {"identifiers": [], "law": "planted"},
        {"identifiers": "planted"},
        {"identifiers": [], "by_name": {"planted@x": {"id": 1}}},
        {"planted@x": 1},
    ],
)
def test_no_message_repeats_a_value(document: Any) -> None:
    """Values and the keys of free objects may name people."""
    assert "planted" not in refusal(document)[1]


def test_free_parts_and_liberal_shapes_take_any_field() -> None:
    """Only what the shape describes is closed."""
    assert read_shape({"identifiers": [], "free": {"any": {"thing": 1}}}, Outer).free == {"any": {"thing": 1}}
    assert read_shape({"identifiers": [], "other": 1}, Liberal).identifiers == []
