"""Lists of Segment's Profile API about groups."""

import pytest

from identity.operations.profiles import segment_accounts
from identity.operations.profiles.segment_paging import ListParameters
from identity.values.errors import BadIdentifier, ProfileNotFound
from tests.support.database.known_people import visiting
from tests.support.processes.writer_processes import Lab

ACME, WHOLE = "group_id:acme", ListParameters(limit=9)


async def test_a_group_has_traits_one_id_and_the_calls_of_its_members(people: Lab) -> None:
    """The newest call first."""
    async with visiting(people) as space:
        traits = await segment_accounts.traits(space, ACME, WHOLE)
        ids = await segment_accounts.external_ids(space, ACME, WHOLE)
        calls = await segment_accounts.events(space, ACME, WHOLE)
        times = (await segment_accounts.metadata(space, ACME, WHOLE)).items

        assert {name: each.value for name, each in traits.items.items()} == {"size": 3, "town": "Rome"}
        assert [(each.type, each.value) for each in ids.items] == [("group_id", "acme")]
        assert [each.call.message_id for each in calls.items] == ["m8", "m5"]
        assert (times.first and times.first.message_id, times.last and times.last.message_id) == ("m5", "m8")


async def test_pages_of_calls_go_on_in_either_direction(people: Lab) -> None:
    """Each with a cursor of its own."""
    async with visiting(people) as space:
        for ascending, expected in ((False, ["m8", "m5"]), (True, ["m5", "m8"])):
            first = await segment_accounts.events(space, ACME, ListParameters(limit=1, ascending=ascending))
            rest = await segment_accounts.events(
                space, ACME, ListParameters(limit=1, ascending=ascending, next=first.next)
            )
            assert [each.call.message_id for each in (*first.items, *rest.items)] == expected
            assert rest.next is None


async def test_a_group_that_is_not_there_is_not_found(people: Lab) -> None:
    """Another type is a mistake."""
    async with visiting(people) as space:
        with pytest.raises(ProfileNotFound):
            await segment_accounts.find_group(space, "group_id:other")
        for ref in ("acme", "user_id:ann", "group_id:"):
            with pytest.raises(BadIdentifier):
                await segment_accounts.find_group(space, ref)
        assert [each.name for each in (await segment_accounts.listed(space, WHOLE)).items] == ["acme"]
