"""Cursors: what was written is read again, and nothing else is."""

import pytest

from identity.spaces.cursors import read_cursor, write_cursor
from identity.values.errors import BadCursor
from tests.support.keys.space_keys import space_keys

KEYS = space_keys()
OTHER = space_keys(space=b"o" * 16, document=b"o" * 32)


@pytest.mark.parametrize("packed_position", [b"", b"\0", bytes(range(256))])
def test_a_cursor_leads_back_to_its_position(packed_position: bytes) -> None:
    """Every position, the empty one included."""
    assert read_cursor(KEYS, b"list", write_cursor(KEYS, b"list", packed_position)) == packed_position


def test_a_cursor_of_another_list_is_refused() -> None:
    """The list is part of what the cursor authenticates."""
    with pytest.raises(BadCursor):
        read_cursor(KEYS, b"other", write_cursor(KEYS, b"list", b"1"))


def test_a_cursor_of_another_space_is_refused() -> None:
    """Each space has a key of its own."""
    with pytest.raises(BadCursor):
        read_cursor(KEYS, b"list", write_cursor(OTHER, b"list", b"1"))


@pytest.mark.parametrize("text", ["", "A", "????", "ä", "A" * 64])
def test_any_other_text_is_refused(text: str) -> None:
    """Text that no cursor was."""
    with pytest.raises(BadCursor):
        read_cursor(KEYS, b"list", text)
