"""Names are compared by their letters; one slip in a long name hides no name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.fields.names import LONGEST_NAME, Names, bare, is_comparable, is_spelling

NAMES = Names("traits sent", {"context.traits": "traits trait", "context.consent": "consent"}, {"iab": "context.tcf"})


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("Traits", "context.traits"),
        ("t_r-a.i ts", "context.traits"),
        ("trait", "context.traits"),
        ("consnet", "context.consent"),
        ("iabAny", "context.tcf"),
        ("traits", None),
        ("sent", None),
        ("content", None),
        ("traist", "context.traits"),
        ("trraits", "context.traits"),
        ("rait", None),
        ("trains", None),
        ("trait\u00e9", None),
    ],
)
def test_the_right_name_is_found_by_letters(name: str, right: str | None) -> None:
    """A known name, a word of its own and an odd name have none."""
    assert NAMES.right(name) == right


def test_an_object_of_known_names_has_no_misspelt_member() -> None:
    """A null is absent; the path has the prefix."""
    assert NAMES.knows({"traits": 1, "sent": 2})
    assert not NAMES.knows({"Traits": 1})
    found = NAMES.misspelt({"traits": 1, "Traits": 2, "TRAIT": None}, "context.")
    assert [tuple(each) for each in found] == [("context.Traits", "context.traits", 2)]


@given(st.text())
def test_the_letters_of_a_name_are_those_of_its_letters(name: str) -> None:
    """A name that is too long, or has other characters than those of ASCII, has none."""
    letters = bare(name)
    assert bare(letters) == letters
    assert is_comparable(name) or letters == ""
    assert not is_comparable("x" * (LONGEST_NAME + 1))


def test_another_word_is_no_spelling() -> None:
    """A spelling has about the same letters."""
    assert [is_spelling(name, "timestamp") for name in ("Time_Stamp", "timestamps", "created_at", "time")] == [
        True,
        True,
        False,
        False,
    ]
