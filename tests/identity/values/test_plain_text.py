"""A value as plain text: whole or refused with a reason, never cut or repaired."""

import unicodedata
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.enums import UnlinkedReason
from identity.values.plain_text import (
    LONGEST_VALUE,
    UnusableValue,
    is_visible,
    kind_of,
    plain,
    shown,
    unreadable,
    usable,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" u1 ", "u1"), (42, "42"), (42.0, "42"), (-0.0, "0"), (1e-7, "0.0000001"), (2.0**53 - 1, "9007199254740991"),
        (10**20, "1" + "0" * 20), ("e\u0301", "\u00e9"), ("x" * LONGEST_VALUE, "x" * LONGEST_VALUE),
        ("\U0001f600", "\U0001f600"),
    ],
)  # fmt: skip
def test_a_value_becomes_its_text(value: object, text: str) -> None:
    """Numbers as decimals, and letters with marks as one character."""
    assert plain(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", UnlinkedReason.EMPTY), (" \t", UnlinkedReason.EMPTY), ("x" * (LONGEST_VALUE + 1), UnlinkedReason.TOO_LONG),
        ("\u00e9" * 5_000, UnlinkedReason.TOO_LONG), (10**LONGEST_VALUE, UnlinkedReason.TOO_LONG),
        (True, UnlinkedReason.NOT_TEXT), (None, UnlinkedReason.NOT_TEXT), ([], UnlinkedReason.NOT_TEXT),
        (2.0**53, UnlinkedReason.INEXACT_NUMBER), (float("nan"), UnlinkedReason.INEXACT_NUMBER),
        (float("inf"), UnlinkedReason.INEXACT_NUMBER), ("a\0b", UnlinkedReason.CONTROL_CHARACTERS),
        ("a\u200bb", UnlinkedReason.CONTROL_CHARACTERS), ("a\ud800", UnlinkedReason.CONTROL_CHARACTERS),
    ],
)  # fmt: skip
def test_an_unusable_value_has_a_reason_and_a_printable_form(value: object, reason: UnlinkedReason) -> None:
    """A float that stands for several numbers would join strangers."""
    with pytest.raises(UnusableValue) as refused:
        plain(value)

    assert refused.value.reason == reason
    assert refused.value.shown.isprintable()
    assert len(refused.value.shown) <= 80
    assert not usable(value)


def test_a_shown_text_is_short_and_storable() -> None:
    """A longer one ends with an ellipsis."""
    assert shown("a\0b") == "a?b"
    assert shown("x" * 81) == "x" * 79 + "\u2026"
    assert kind_of({}) == "(object)"


@pytest.mark.parametrize(
    "character",
    [
        "\u3164",
        "\u2800",
        "\u115f",
        "\u1160",
        "\uffa0",
        "\u034f",
        "\ufe0f",
        "\u17b4",
        "\u180b",
        "\U000e0100",
        "\u0301",
        "\u2060",
    ],
)
def test_a_text_of_invisible_characters_alone_is_blank(character: str) -> None:
    """Beside a letter they are good: some scripts and emoji need them."""
    assert unreadable(character) == unreadable(f" {character}\t{character}") == "is blank; write it in words"
    assert unreadable(f"a{character}") is None
    assert (is_visible(character), is_visible(f"a{character}")) == (False, True)


@pytest.mark.parametrize("text", ["\u0316\u0301" * 2_000, "a" + "\u0316\u0301" * 600, "ab" * 200 + "\u0316" * 1_100])
def test_text_that_stays_too_long_is_not_composed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composing takes time quadratic in a run of marks, of which three at most go into a letter."""
    monkeypatch.setattr("identity.values.plain_text.unicodedata", SimpleNamespace(combining=unicodedata.combining))

    with pytest.raises(UnusableValue) as refused:
        plain(text)
    assert refused.value.reason == UnlinkedReason.TOO_LONG


@given(st.text(alphabet="a\u00e9\u0301\u0316\u1100\u1161\u11a8\u1fb7\u0345\u0342\u0308", min_size=1, max_size=12))
def test_composing_shortens_a_run_of_marks_by_three_at_most(text: str) -> None:
    """So no text is refused that would have become short enough."""
    text = text * (4 * LONGEST_VALUE // len(text))
    expected = len(unicodedata.normalize("NFC", text)) <= LONGEST_VALUE

    assert usable(text) == expected
