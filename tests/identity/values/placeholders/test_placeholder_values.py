"""Placeholder values are recognised in any spelling."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.placeholders.placeholder_values import (
    PLACEHOLDER_PATTERNS,
    PLACEHOLDERS,
    is_of_nobody,
    is_placeholder,
)

NOTHING = (
    "null", "None", "NIL", "undefined", "nan", "unknown", "invalid", "n/a", "not set", "(not set)", "[object Object]",
    "[object Promise]", "-infinity", "#REF!", "Optional(nil)", "XXXX", "***",
    "not logged in", "logged_out", "No-User", "notSignedIn", "no company", "No_Group", "no-account",
)  # fmt: skip
TEMPLATES = ("{{ user.id }}", "${userId}", "{0}", "%s")
NAMES = ("user", "id", "userId", "user_id", "email", "Guest", "anonymous", "anonymous_id", "distinct_id", "test")
SEPARATORS = (" ", ",", ", ", ";", ":", "|", "/", "\\", "&", "+", "=", "@", ".", "_", "-", "~", "--", "::", " - ", "\t")
ZEROS = ("0", "00", "0000-0000")
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
        "%CUSTOMER_ID%",
        "[[customer.id]]",
        "N.A.",
        "n.a",
        "user-n.a.",
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


@st.composite
def compounds(draw: st.DrawFn, *kinds: tuple[str, ...]) -> str:
    """Parts of these kinds, one of each at least, in any order and with any separators between them."""
    parts = [draw(st.sampled_from(kind)) for kind in kinds]
    parts += draw(st.lists(st.sampled_from([part for kind in kinds for part in kind]), max_size=3))
    parts = draw(st.permutations(parts))
    text = parts[0]
    for part in parts[1:]:
        text += draw(st.sampled_from(SEPARATORS)) + part
    return text


@given(compounds(NOTHING + TEMPLATES) | compounds(NOTHING, NAMES) | compounds(NAMES) | compounds(NOTHING, ZEROS))
def test_a_text_of_placeholders_alone_is_a_placeholder(text: str) -> None:
    """Whatever separates its parts."""
    assert is_placeholder(text)


@given(
    compounds(NOTHING, NAMES) | st.just(""),
    st.sampled_from(SEPARATORS),
    st.from_regex(r"[a-z]{1,6}[1-9][a-z0-9]{0,8}", fullmatch=True) | st.sampled_from(("ann", "tasha", "s", "island")),
    st.sampled_from(SEPARATORS),
    compounds(NOTHING, NAMES) | st.just(""),
)
def test_one_part_that_is_none_makes_an_id(before: str, left: str, part: str, right: str, after: str) -> None:
    """At any place between placeholders."""
    assert not is_placeholder((before and before + left) + part + (after and right + after))


@given(compounds(NAMES, ZEROS))
def test_the_first_of_many_is_an_id(text: str) -> None:
    """Programs that count from zero have a `user_0`."""
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        *("null,null", "undefined,undefined", "null:null", "+Infinity", "-Infinity", "[object Object],[object Object]"),
        *("%s", "%d", "%@", "%1$s", "%(id)s", "$1", "{0}", "{customerId}", "[object Promise]", "[Function: getId]"),
        *(
            "unknown_user",
            "Unknown Customer",
            "anonymous-user",
            "user:undefined",
            "userId=null",
            '{"id":null}',
            "@user",
        ),
        *("customerId:null", "visitorid=undefined", "lead_null", "user_not_set", "missing_user", "user-tbd"),
        *("patient unassigned", "external_id_null", "<customer_id>", "<accountId>", "not-assigned"),
        *("null;", ",null", "(null)(null)", "null@undefined", "test@test", "user-${id}", "<built-in function id>"),
        *("undefined@undefined.com", "null@null.co.uk", "unknown@undefined.org", "user@example.com", "test@test.de"),
    ],
)
def test_what_programs_join_of_nothing_is_a_placeholder(text: str) -> None:
    """The addresses, too, in an identifier of any type."""
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "nil-s",
            "na-tasha",
            "nan-goldin",
            "null-island",
            "unknown-artist",
            "true-north",
            "infinity-war",
            "void.main",
        ),
        *("none-of-your-business@x.com", "nil.none@x.com", "na@x.com", "null@gmail.com", "email@gmail.com"),
        *("test@x.com", "test.user@x.com", "user@test.com", "info@none.com", "ann@example.com", "ann@null.com"),
        *(
            "guest-17",
            "id:42",
            "anonymous-42",
            "undefined-u1",
            "client-1",
            "null.1",
            "1-none",
            "test_1",
            "unknown_user_0",
        ),
        *(
            "missing",
            "empty",
            "tbd",
            "lead",
            "session",
            "org",
            "profile-session",
            "missing_0",
            "empty-bottle",
            "<david>",
        ),
        *("customer", "client", "device-account", "first.name", "%sam", "{17}", "$10", "<ann>", "[object]", "0,1"),
    ],
)
def test_an_id_with_a_word_among_the_placeholders_is_none(text: str) -> None:
    """Nothing genuine is refused."""
    assert not is_placeholder(text)


def test_a_compound_of_an_earlier_release_can_be_named() -> None:
    """A profile may have it; nobody has a placeholder that stands alone."""
    assert [is_of_nobody("user_id", text) for text in ("null", "unknown_user", "null,null")] == [True, False, False]
    assert is_of_nobody("email", "test@test.com")
