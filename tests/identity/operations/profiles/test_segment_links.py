"""Links between people and groups, both ways."""

from identity.operations.profiles.segment_links import accounts_of, users_of
from identity.operations.profiles.segment_paging import ListParameters
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab

WHOLE = ListParameters(limit=9)


async def test_a_person_links_to_groups_and_a_group_to_people(people: Lab) -> None:
    """Each link has the identifiers of its other end, and the call that joined."""
    async with visiting(people) as space:
        (group,) = (await accounts_of(space, ANN, WHOLE)).items
        users = await users_of(space, "group_id:acme", WHOLE)

        assert [(each.value, each.call and each.call.message_id) for each in group.identifiers] == [("acme", "m5")]
        found = sorted(each.value for link in users.items for each in link.identifiers if each.type == "user_id")
        assert (group.collection, found, users.next) == ("accounts", ["ann", "bob"], None)


async def test_the_people_of_a_group_come_page_by_page(people: Lab) -> None:
    """Each once."""
    async with visiting(people) as space:
        seen: list[str] = []
        cursor = None
        while True:
            page = await users_of(space, "group_id:acme", ListParameters(limit=1, next=cursor))
            seen += [each.value for link in page.items for each in link.identifiers if each.type == "user_id"]
            cursor = page.next
            if cursor is None:
                break

        assert sorted(seen) == ["ann", "bob"]
