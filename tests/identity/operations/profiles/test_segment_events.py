"""The calls of a person by arrival, evidence and plain events alike."""

from identity.operations.profiles.profile import open_profile
from identity.operations.profiles.segment_events import events, last_call
from identity.operations.profiles.segment_paging import ListParameters
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab

NEWEST_FIRST = ["m5", "m9", "m4", "m3", "m2", "m1"]


async def test_calls_of_all_origins_come_in_one_order(people: Lab) -> None:
    """In pages of any size, newest or oldest first."""
    async with visiting(people) as space:
        for limit in (1, 2, 9):
            for ascending in (False, True):
                found: list[str] = []
                cursor = None
                while True:
                    page = await events(space, ANN, ListParameters(limit=limit, ascending=ascending, next=cursor))
                    found += [each.call.message_id for each in page.items]
                    cursor = page.next
                    if cursor is None:
                        break
                assert found == NEWEST_FIRST[:: -1 if ascending else 1]


async def test_a_filter_leaves_the_calls_that_it_names(people: Lab) -> None:
    """By the name of the event or the kind of the call."""
    async with visiting(people) as space:
        for wanted, expected in (
            (ListParameters(limit=9, include=frozenset({"Paid"})), ["m4"]),
            (ListParameters(limit=9, kinds=("track",), exclude=frozenset({"Paid"})), ["m9", "m2"]),
            (ListParameters(limit=9, kinds=("group",)), ["m5"]),
        ):
            assert [each.call.message_id for each in (await events(space, ANN, wanted)).items] == expected


async def test_a_call_shows_the_identifiers_that_it_names_and_the_profile_holds(people: Lab) -> None:
    """The newest call of a profile is its last."""
    async with visiting(people) as space:
        (paid,) = (await events(space, ANN, ListParameters(limit=9, include=frozenset({"Paid"})))).items
        last = await last_call(await open_profile(space, ANN))

        assert [each.text for each in paid.identifiers] == [ANN]
        assert last is not None
        assert last.message_id == "m5"
