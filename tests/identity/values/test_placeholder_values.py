"""Placeholder values are recognised in any spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.placeholder_values import PLACEHOLDERS, is_placeholder

DRESS = st.text(alphabet=" \t\n\u00a0\"'`\\\u201c\u201d\u00ab\u00bb", max_size=4)


@given(DRESS, st.sampled_from(sorted(PLACEHOLDERS)), DRESS, st.randoms())
def test_quotes_spaces_and_case_do_not_hide_a_placeholder(before: str, word: str, after: str, random: object) -> None:
    """In any mixture."""
    flips = [getattr(random, "choice")((str.upper, str.lower)) for _ in word]  # noqa: B009 (any source of chance)
    spelled = "".join(flip(c) for flip, c in zip(flips, word, strict=True))
    assert is_placeholder(before + spelled + after)


@given(st.text(alphabet="0-", max_size=40))
def test_text_of_zeros_and_dashes_is_a_placeholder(text: str) -> None:
    """The empty text and all-zero UUIDs are placeholders as well."""
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "u1",
        "10",
        "-10",
        "0x",
        "nullable",
        "not null",
        "test1",
        "nu ll",
        "o'null",
        "guests",
        "1",
        "--1",
        "n/a/x",
    ],
)
def test_a_value_that_contains_a_placeholder_is_none(text: str) -> None:
    """The whole value has to be a placeholder."""
    assert not is_placeholder(text)
