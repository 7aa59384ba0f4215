"""The rows of a profile by any of its identifiers or ids, and the lists of roots and canonical ids."""

import pytest

from identity.operations.profiles.find_profile import find
from identity.store.profiles import profile_queries
from identity.values.errors import KeyRenamed
from identity.values.stamps import Stamp
from tests.support.database.known_people import ANN, BOB, visiting
from tests.support.processes.writer_processes import Lab


async def test_questions_are_answered_in_their_order(people: Lab) -> None:
    """One that finds nobody has no root; keys of an older version are refused."""
    async with visiting(people) as space, space.database.reading() as connection:
        ask = [[space.keys.identifier("user_id", who)] for who in ("ann", "nobody", "bob")]
        found = await profile_queries.by_keys(connection, space.tenant, ask, 10, space.keys.versions.newest)

        assert sorted(found.roots) == [0, 2]
        assert {each.root for each in found.origins} == set(found.roots.values())
        assert {each.origin for each in found.identifiers} <= {each.id for each in found.origins}
        with pytest.raises(KeyRenamed):
            await profile_queries.by_keys(connection, space.tenant, ask, 10, space.keys.versions.newest - 1)


async def test_the_id_of_a_merged_origin_finds_the_whole_profile(people: Lab) -> None:
    """The same rows as an identifier finds."""
    async with visiting(people) as space, space.database.reading() as connection:
        ann = (await find(space, ANN)).origins
        for one in ann:
            found = await profile_queries.by_ids(connection, space.tenant, [one.id], 10)
            assert sorted(each.id for each in found.origins) == sorted(each.id for each in ann)


async def test_a_merged_profile_is_listed_once(people: Lab) -> None:
    """By its root and by its canonical id, in the order of the ids, from the one after `after`."""
    async with visiting(people) as space, space.database.reading() as connection:
        ann, bob = [(await find(space, who)).origins for who in (ANN, BOB)]
        roots = await profile_queries.list_roots(connection, space.tenant, bytes(16), 10)
        listed = await profile_queries.list_canonical(connection, space.tenant, bytes(16), 10)

        assert roots == sorted([ann[0].root, bob[0].root])
        assert [id_ for id_, *_ in listed] == sorted([ann[0].canonical, bob[0].canonical])
        assert {birth for _, birth, _ in listed} == {each[0].oldest_birth for each in (ann, bob)}
        assert await profile_queries.list_roots(connection, space.tenant, roots[0], 10) == roots[1:]
        assert await profile_queries.list_canonical(connection, space.tenant, listed[0][0], 1) == listed[1:]


async def test_history_goes_on_before_the_line_of_a_cursor(people: Lab) -> None:
    """The newest lines of all origins, the two of one call included."""
    async with visiting(people) as space, space.database.reading() as connection:
        ids = [each.id for each in (await find(space, ANN)).origins]
        every = await profile_queries.history(connection, space.tenant, ids, (Stamp(2**63 - 1), 0), 100)
        order = [(line.stamp, line.seq) for line in every]
        page = await profile_queries.history(connection, space.tenant, ids, order[1], 2)

        assert order == sorted(order, reverse=True)
        assert page == every[2:4]
