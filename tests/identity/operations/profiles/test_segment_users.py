"""Lists of Segment's Profile API about people."""

from identity.operations.profiles import segment_users
from identity.operations.profiles.segment_paging import ListParameters
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab


async def test_traits_come_by_name_and_page(people: Lab) -> None:
    """Only those that are asked for; computed ones there are none."""
    async with visiting(people) as space:
        first = await segment_users.traits(space, ANN, ListParameters(limit=1))
        second = await segment_users.traits(space, ANN, ListParameters(limit=1, next=first.next))
        wanted = await segment_users.traits(space, ANN, ListParameters(limit=9, include=frozenset({"plan"})))
        computed = await segment_users.traits(space, ANN, ListParameters(limit=9, computed=True))

        assert [list(page.items) for page in (first, second, wanted, computed)] == [["email"], ["plan"], ["plan"], []]
        assert second.next is None


async def test_external_ids_come_with_the_call_that_linked_each(people: Lab) -> None:
    """In the order of linking."""
    async with visiting(people) as space:
        page = await segment_users.external_ids(space, ANN, ListParameters(limit=9))
        calls = {each.value: each.call.message_id for each in page.items if each.call is not None}

        assert calls["ann"] == calls["a1"] == "m1"
        assert [each.created_at for each in page.items] == sorted(each.created_at for each in page.items)
        mail = await segment_users.external_ids(space, ANN, ListParameters(limit=9, include=frozenset({"email"})))
        assert [each.value for each in mail.items] == ["ann@example.org"]


async def test_metadata_name_the_first_and_the_last_call(people: Lab) -> None:
    """The last one may be a plain event."""
    async with visiting(people) as space:
        times = (await segment_users.metadata(space, ANN, ListParameters(limit=1))).items

        assert times.first is not None
        assert times.last is not None
        assert (times.first.message_id, times.last.message_id) == ("m1", "m5")
        assert times.created_at < times.updated_at


async def test_all_people_are_listed_once(people: Lab) -> None:
    """Page by page."""
    async with visiting(people) as space:
        first = await segment_users.listed(space, ListParameters(limit=1))
        second = await segment_users.listed(space, ListParameters(limit=1, next=first.next))

        assert len({each.id for each in (*first.items, *second.items)}) == 2
        assert second.next is None
