"""Places in lists: valid for one list of one profile, and without a name in them."""

import pytest

from identity.operations.profiles.list_places import after_mark, mark, read_place, write_place
from identity.values.errors import BadCursor
from tests.support.database.known_people import visiting
from tests.support.processes.writer_processes import Lab

ID = b"i" * 16


async def test_a_place_is_read_in_its_own_list_alone(people: Lab) -> None:
    """By any id that the profile has now."""
    async with visiting(people) as space:
        cursor = write_place(space, b"list", ID, b"position")

        assert read_place(space, b"list", {b"o" * 16, ID}, cursor) == b"position"
        for domain, ids in ((b"other", {ID}), (b"list", {b"o" * 16})):
            with pytest.raises(BadCursor):
                read_place(space, domain, ids, cursor)


async def test_a_mark_stands_for_a_name_without_naming_it(people: Lab) -> None:
    """The list goes on behind it, and is refused where the item is gone."""
    async with visiting(people) as space:
        names = ["ann", "bob", "carl"]

        assert list(after_mark(space, names, mark(space, b"bob"), str.encode)) == ["carl"]
        assert b"bob" not in mark(space, b"bob")
        with pytest.raises(BadCursor):
            after_mark(space, names, mark(space, b"dora"), str.encode)
