"""The fields of a rules document: each fault names its place and what is allowed there, and no value."""

from collections.abc import Callable
from typing import Any

import pytest

from identity.planning.resolution.rules import rules_fields as fields
from identity.values.errors import BadRules


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (fields.region, "uk", "Did you mean GB"),
        (fields.region, 49, "two capital letters"),
        (fields.priority, "email", "must be a list"),
        (fields.priority, ["email", 1], r"`priority\[1\]` must be the name"),
        (fields.priority, ["email", "email"], r"`priority\[1\]` is the same type as `priority\[0\]`"),
        (fields.priority, ["secret@example.org"], "entry 1 of `priority` is no identifier type"),
        (fields.patterns, [], "must be an object"),
        (fields.patterns, {"email": "secret"}, "`blocked.email` must be a list"),
        (fields.patterns, {"email": ["ok", 1]}, "Pattern 1 of `blocked.email` must be text"),
        (fields.patterns, {"*": ["secret" * 100]}, r"`blocked.\*` is longer than 256"),
        (fields.patterns, {"email": ["secret"] * 501}, "at most 500 patterns"),
    ],
)
def test_a_fault_is_named_by_its_place(read: Callable[[object], Any], value: object, message: str) -> None:
    """A pattern may be personal data."""
    with pytest.raises(BadRules, match=message) as refused:
        read(value)
    assert "secret" not in str(refused.value)


def test_numbers_and_flags_are_taken_as_such_only() -> None:
    """True is no number, and 1 is no flag."""
    assert (fields.whole(3, "`x`", 1, 3), fields.flag(value=False, where="`x`")) == (3, False)
    for value in (True, 0, 4, "3", 3.0):
        with pytest.raises(BadRules, match="from 1 to 3"):
            fields.whole(value, "`x`", 1, 3)
    with pytest.raises(BadRules, match="true or false"):
        fields.flag(1, "`x`")
    with pytest.raises(BadRules, match="`limits` has an unknown field `mosst`"):
        fields.members({"mosst": 1}, "`limits`", ("most", "window"), "{}")


@pytest.mark.parametrize(
    ("pattern", "at"),
    [("a(b", 2), ("a)b", 2), ("[(]x(", 5), (r"\(x[", 4), ("x\\", 2), ("a**", 2)],
)
def test_a_faulty_pattern_shows_where_it_is_wrong(pattern: str, at: int) -> None:
    """A bracket in a class or behind a backslash opens nothing."""
    with pytest.raises(BadRules, match=f"Pattern 1 of `blocked.email` .* at character {at}"):
        fields.matchers({"email": ("x", pattern)})


def test_one_program_matches_every_pattern_of_a_type() -> None:
    """A type without patterns has no program; patterns that are too large together are refused."""
    found = fields.matchers({"email": ("a+", "b|c"), "phone": ()})

    assert list(found) == ["email"]
    assert [bool(found["email"].fullmatch(text)) for text in ("aa", "c", "ac")] == [True, True, False]
    with pytest.raises(BadRules, match="too large together"):
        fields.matchers({"email": tuple(f"x{{{each}}}y" for each in range(100, 300))})
