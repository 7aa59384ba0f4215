"""Patterns that block every value of their type."""

import pytest

from identity.planning.corrections.rules_patterns import require_narrow_patterns
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.errors import BadRules


def check(type_: str, *patterns: str) -> None:
    """Check the patterns of a type."""
    require_narrow_patterns(compile_rules({"blocked": {type_: list(patterns)}}, 1))


@pytest.mark.parametrize("type_", ["*", "user_id", "email", "phone", "order_no"])
@pytest.mark.parametrize(
    "pattern", [".*", ".+", "(?s).*", "|.*", "(.*|)", "x|.+|", "[^\\n]+", "^.*$", ".{1,}", "(?i)[\\s\\S]*"]
)
def test_a_pattern_of_every_value_is_refused(type_: str, pattern: str) -> None:
    """In any spelling, with the number of the pattern."""
    with pytest.raises(BadRules, match=r"Pattern 1 of `?.*matches every value.*test-"):
        check(type_, "test-.*", pattern)


@pytest.mark.parametrize(("type_", "pattern"), [("email", ".+@.+"), ("phone", r"\+\d+"), ("phone", r"\+?[0-9]{5,15}")])
def test_a_pattern_of_every_value_of_its_type_is_refused(type_: str, pattern: str) -> None:
    """An address has an at sign, and a phone number has digits alone."""
    with pytest.raises(BadRules, match="matches every value"):
        check(type_, pattern)


def test_patterns_that_match_every_value_together_are_refused() -> None:
    """None of the two does so alone."""
    with pytest.raises(BadRules, match="together match every value"):
        check("user_id", "[a-m].*", "[^a-m].*")


@pytest.mark.parametrize(
    ("type_", "pattern"),
    [("email", "info@.*"), ("email", ".*@example\\.org"), ("user_id", r"\d+"), ("*", "test-.*"), ("user_id", ""),
     ("phone", r"\+49.*"), ("*", ".+@.+"), ("user_id", "[0-9a-f-]{36}")],
)  # fmt: skip
def test_a_pattern_of_some_values_is_taken(type_: str, pattern: str) -> None:
    """The empty pattern matches the empty value alone, which nobody has."""
    check(type_, pattern)
