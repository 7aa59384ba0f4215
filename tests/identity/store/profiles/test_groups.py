"""Groups and their members, page by page."""

import pytest

from identity.operations.profiles.find_profile import find
from identity.store.profiles import groups
from identity.values.errors import KeyRenamed
from identity.values.ids import GroupRowId
from tests.support.database.known_people import ANN, BOB, visiting
from tests.support.processes.writer_processes import Lab


async def test_a_group_is_found_by_its_key_and_listed(people: Lab) -> None:
    """Another key finds none; a key of an older version is refused."""
    async with visiting(people) as space, space.database.reading() as connection:
        acme, other = (space.keys.group(each) for each in ("acme", "other"))
        version = space.keys.versions.newest
        found = await groups.find_group(connection, space.tenant, [acme], version)
        ((listed, _),) = await groups.list_groups(connection, space.tenant, bytes(16), 10)

        assert found is not None
        assert (found.account_id, found.group_id) == (listed.account_id, listed.group_id)
        assert await groups.list_groups(connection, space.tenant, listed.account_id, 10) == []
        assert await groups.find_group(connection, space.tenant, [other], version) is None
        assert await groups.existing_groups(connection, space.tenant, [acme, other]) == {acme}
        with pytest.raises(KeyRenamed):
            await groups.find_group(connection, space.tenant, [acme], version - 1)


async def test_each_member_is_on_one_page_and_counted_once(people: Lab) -> None:
    """A page of one origin has the other member behind it; a count that stops early says so."""
    async with visiting(people) as space, space.database.reading() as connection:
        ((acme, _),) = await groups.list_groups(connection, space.tenant, bytes(16), 10)
        roots = {(await find(space, who)).origins[0].root for who in (ANN, BOB)}
        whole, end = await groups.members(connection, space.tenant, acme.account_id, bytes(16), 10)
        first, after = await groups.members(connection, space.tenant, acme.account_id, bytes(16), 1)
        assert after is not None
        second, last = await groups.members(connection, space.tenant, acme.account_id, after, 1)

        assert {each.root for each in whole} == roots
        assert end is None
        assert first + second == whole
        assert last is None
        assert await groups.count_members(connection, space.tenant, acme.account_id, 10) == (2, True)
        assert await groups.count_members(connection, space.tenant, acme.account_id, 1) == (1, False)


async def test_the_calls_of_the_members_are_those_that_named_the_group(people: Lab) -> None:
    """One of each member; the group of another space has none."""
    async with visiting(people) as space, space.database.reading() as connection:
        ((acme, _),) = await groups.list_groups(connection, space.tenant, bytes(16), 10)
        whole, _ = await groups.members(connection, space.tenant, acme.account_id, bytes(16), 10)
        calls = await groups.membership_calls(connection, space.tenant, acme.account_id, 10)

        assert sorted(calls) == sorted((each.origin, each.stamp) for each in whole)
        assert await groups.membership_calls(connection, space.tenant, GroupRowId(bytes(16)), 10) == []
