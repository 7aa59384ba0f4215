"""A group: its traits, and the profiles that belong to it."""

import pytest

from identity.operations.profiles.read_group import get_group
from identity.values.errors import GroupNotFound
from tests.support.database.known_people import visiting
from tests.support.processes.writer_processes import Lab


async def test_a_group_has_its_traits_and_counts_its_members(people: Lab) -> None:
    """In any spelling that collection normalises to its id."""
    async with visiting(people) as space:
        group = await get_group(space, " acme ")

        assert (group.group_id, group.traits, group.members, group.approximate) == (
            "acme", {"size": 3, "town": "Rome"}, 2, False,
        )  # fmt: skip


@pytest.mark.parametrize("name", ["Acme", "nothing", "", "\0"])
async def test_another_id_is_no_group(people: Lab, name: str) -> None:
    """Ids are case-sensitive."""
    async with visiting(people) as space:
        with pytest.raises(GroupNotFound):
            await get_group(space, name)
