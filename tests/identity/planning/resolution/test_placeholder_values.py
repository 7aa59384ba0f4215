"""Values that stand for nobody are caught however they are dressed up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.placeholder_values import NOBODY, stands_for_nobody

DRESS = st.text(alphabet=" \t\n\u00a0\"'`\\\u201c\u201d\u00ab\u00bb", max_size=4)


@given(DRESS, st.sampled_from(sorted(NOBODY)), DRESS, st.randoms())
def test_dressed_up(before: str, word: str, after: str, random: object) -> None:
    """Quotes, spaces and case in any mixture do not hide a placeholder."""
    flips = [getattr(random, "choice")((str.upper, str.lower)) for _ in word]  # noqa: B009 (any source of chance)
    spelled = "".join(flip(c) for flip, c in zip(flips, word, strict=True))
    assert stands_for_nobody(before + spelled + after)


@given(st.text(alphabet="0-", max_size=40))
def test_zeros_and_dashes(text: str) -> None:
    """Nothing but zeros and dashes is nobody, the empty text and all-zero UUIDs included."""
    assert stands_for_nobody(text)


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
def test_somebody(text: str) -> None:
    """A value that merely contains a placeholder is one of somebody."""
    assert not stands_for_nobody(text)
