"""A statement about a group has a row that states the same, under one of the keys of the group."""

from identity.operations.profiles.find_profile import find
from identity.spaces.space import Space
from identity.store.integrity.memberships import StatedMembership, count, find_stated
from identity.store.postgres.database import rows
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp
from tests.support.database.known_people import BOB, visiting
from tests.support.processes.writer_processes import Lab


async def stated(space: Space) -> StatedMembership:
    """The row of Bob, as his document states it."""
    (origin,) = (await find(space, BOB)).origins
    async with space.database.reading() as connection:
        ((time, stamp),) = await rows(
            connection, "SELECT time, stamp FROM membership WHERE profile_id = $1::uuid", origin.id.hex()
        )
    keys = [bytes(32), space.keys.group("acme")]
    return StatedMembership(origin=origin.id, keys=keys, member=True, time=Micros(time), stamp=Stamp(stamp))


async def test_a_statement_with_a_row_is_found_by_its_number(people: Lab) -> None:
    """From 1, in any company; no statement finds nothing."""
    async with visiting(people) as space:
        bob = await stated(space)
        async with space.database.reading() as connection:
            assert await find_stated(connection, space.tenant, [bob]) == {1}
            assert await find_stated(connection, space.tenant, [bob._replace(member=False), bob, bob]) == {2, 3}
            assert await find_stated(connection, space.tenant, []) == set()


async def test_a_row_that_differs_in_anything_is_none_of_the_statement(people: Lab) -> None:
    """Its member, time, stamp, origin or key."""
    async with visiting(people) as space:
        bob = await stated(space)
        others = [
            bob._replace(member=False),
            bob._replace(time=Micros(bob.time + 1)),
            bob._replace(stamp=Stamp(bob.stamp - 1)),
            bob._replace(origin=ProfileId(bytes(16))),
            bob._replace(keys=[space.keys.group("other")]),
            bob._replace(keys=[]),
        ]
        async with space.database.reading() as connection:
            assert await find_stated(connection, space.tenant, others) == set()


async def test_the_rows_of_origins_with_a_document_are_counted(people: Lab) -> None:
    """Those of Ann and of Bob."""
    async with visiting(people) as space, space.database.reading() as connection:
        assert await count(connection, space.tenant) == 2
