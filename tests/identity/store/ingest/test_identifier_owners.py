"""The origin that holds an identifier."""

from identity.operations.profiles.find_profile import find
from identity.store.ingest.identifier_owners import owners
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab


async def test_each_identifier_names_the_origin_that_holds_it(people: Lab) -> None:
    """Those of a merged profile stay with their origins; one that nobody has names none."""
    async with visiting(people) as space, space.database.reading() as connection:
        one, two, nobody = (space.keys.identifier("anonymous_id", each) for each in ("a1", "a2", "a3"))
        found = await owners(connection, space.tenant, [one, two, nobody])

        assert set(found) == {one, two}
        assert set(found.values()) == {each.id for each in (await find(space, ANN)).origins}
