"""A lookup encodes each profile once, and its answer is bounded."""

import msgspec
import pytest
from msgspec import Struct

from app.schemas import encoded_lookup
from app.schemas.encoded_lookup import encode_each
from identity.values.errors import TooMuch


class _Found(Struct):
    id: int
    text: str


def test_a_profile_that_many_references_name_is_encoded_once() -> None:
    """The answer holds the profile for each of them all the same."""
    shaped: list[int] = []

    def shape(value: _Found) -> dict[str, int]:
        shaped.append(value.id)
        return {"n": value.id}

    found = {"a": _Found(1, ""), "b": _Found(2, ""), "c": None, "d": _Found(1, "")}

    assert msgspec.json.encode(encode_each(found, shape, lambda each: each.id)) == (
        b'{"a":{"n":1},"b":{"n":2},"c":null,"d":{"n":1}}'
    )
    assert shaped == [1, 2]


def test_an_answer_beyond_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetitions count: it is the answer that is bounded."""
    monkeypatch.setattr(encoded_lookup, "MOST_BYTES", 250)
    found: dict[str, _Found | None] = {str(at): _Found(1, "x" * 100) for at in range(2)}

    assert len(encode_each(found, lambda each: each.text, lambda each: each.id)) == 2
    with pytest.raises(TooMuch):
        encode_each(found | {"more": _Found(1, "x" * 100)}, lambda each: each.text, lambda each: each.id)
