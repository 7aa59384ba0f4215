"""Placeholder values are recognised in any spelling."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.placeholder_values import PLACEHOLDER_PATTERNS, PLACEHOLDERS, is_placeholder

DRESS = st.text(alphabet=" \t\n\u00a0\"'`\\\u201c\u201d\u00ab\u00bb", max_size=4)


@given(DRESS, st.sampled_from(sorted(PLACEHOLDERS)), DRESS, st.randoms())
def test_quotes_spaces_and_case_do_not_hide_a_placeholder(before: str, word: str, after: str, random: object) -> None:
    """In any mixture."""
    flips = [getattr(random, "choice")((str.upper, str.lower)) for _ in word]  # noqa: B009 (any source of chance)
    spelled = "".join(flip(c) for flip, c in zip(flips, word, strict=True))
    assert is_placeholder(before + spelled + after)


@given(
    st.sampled_from(PLACEHOLDER_PATTERNS).flatmap(
        lambda each: st.from_regex(re.compile(each, re.ASCII), fullmatch=True)
    )
)
def test_every_text_of_a_pattern_is_a_placeholder(text: str) -> None:
    """The patterns that `GET /v1/rules` shows are those that hold."""
    assert is_placeholder(text)


@given(st.text(alphabet="0-.:", max_size=40))
def test_text_of_zeros_and_dashes_is_a_placeholder(text: str) -> None:
    """The empty text and all-zero UUIDs are placeholders as well."""
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "(null)",
        "<null>",
        "<nil>",
        "[NULL]",
        '"(null)"',
        "( none )",
        "Optional(nil)",
        "{}",
        "[]",
        "()",
        "[{}]",
        "0.0",
        "-0.00",
        "{{userId}}",
        "{{ user.id }}",
        "${userId}",
        "#{user_id}",
        "<%= user.id %>",
        "{userId}",
        "<user_id>",
        "%userId%",
        "$userId",
        "\uff4e\uff55\uff4c\uff4c",
        "\uff08\uff4e\uff55\uff4c\uff4c\uff09",
        "\uff10",
        "[object Object]",
        "(not set)",
        "9774d56d682e549c",
        "9774D56D682E549C",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "\\N",
        '"\\N"',
        "\\\\N",
        "#N/A",
        "#REF!",
        "[object Undefined]",
        "[object Null]",
        "undefined undefined",
        "null_null",
        "__USER_ID__",
        "*|USERID|*",
        "%%SUBSCRIBER%%",
        "YOUR_USER_ID",
        "<your-user-id>",
        "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx",
        "XXXX",
        "****",
        "Infinity",
        "-Infinity",
        "?",
        "???",
        "02:00:00:00:00:00",
        "00:00:00:00:00:00",
        "FF:FF:FF:FF:FF:FF",
    ],
)
def test_what_programs_print_for_nothing_is_a_placeholder(text: str) -> None:
    """In brackets, in full width, as a template that nobody filled, or as a known broken id of a device."""
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
        "{3f2504e0-4f89-11d3-9a0c-0305e82c3301}",
        "ffffffff-ffff-ffff-ffff-fffffffffffe",
        "ffff",
        "9774d56d682e549d",
        "{'id': 1}",
        "[1]",
        "user{{1}}",
        "(ann)",
        "optional(ann)",
        "0.1",
        "100%",
        "N",
        "n",
        "\\n",
        "\\Nina",
        "x",
        "xx",
        "xxa",
        "xx4y",
        "_ann_",
        "__ann1__",
        "__",
        "*ann*",
        "what?",
        "02:00:00:00:00:01",
        "12:00:00:00:00:00",
        "null undefined ann",
        "infinity8",
        "your_user",
        "#1",
        "%",
        "$",
    ],
)
def test_a_value_that_contains_a_placeholder_is_none(text: str) -> None:
    """The whole value has to be a placeholder."""
    assert not is_placeholder(text)
