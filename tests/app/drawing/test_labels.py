"""Labels of a picture: harmless, short, and apart from each other while there is room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drawing.labels import Box, clean, place, shortened, width

ROOM = Box(0, 0, 100, 100)


@given(st.text(max_size=60), st.integers(4, 30))
def test_a_label_is_short_and_keeps_both_ends(text: str, longest: int) -> None:
    """Both ends distinguish values."""
    short = shortened(text, longest)

    assert len(short) <= longest
    assert short[0:1] == text[0:1]
    assert short[-1:] == text[-1:]
    assert (short == text) == (len(text) <= longest)


@pytest.mark.parametrize("hidden", ["\0", "\u202e", "\u200b", "\n", "\ud800"])
def test_no_character_hides_or_reverses_another(hidden: str) -> None:
    """Nor is any forbidden in XML."""
    assert clean(f"a{hidden}b") == "a\ufffdb"


def test_wide_characters_take_more_room() -> None:
    """Rather too much than too little."""
    assert width("\u6f22", 10) > width("m", 10) > 0


def test_labels_of_two_nodes_do_not_cover_each_other() -> None:
    """The one that comes later finds another place, or none in a crowded picture."""
    nodes = [Box(45, 45, 55, 55), Box(46, 46, 56, 56)]
    one, other = place([(nodes[0], 30), (nodes[1], 30)], nodes, ROOM, 10, crowded=False)

    assert one is not None
    assert other is not None
    assert one.shared(other) == 0
    assert one.within(ROOM)
    narrow = Box(40, 40, 60, 60)
    assert place([(nodes[0], 30)], nodes, narrow, 10, crowded=False) == [None]
    crowd = place([(nodes[0], 20)] * 30, nodes, ROOM, 10, crowded=True)
    assert None in crowd
    assert sum(a.shared(b) for a in crowd for b in crowd if a and b and a is not b) == 0
