"""All rows at the origins of a profile, by any id of it."""

from collections import Counter

from identity.operations.profiles.find_profile import find
from identity.store.profiles import snapshot_queries
from identity.values.ids import ProfileId, new_id
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab


async def test_one_id_names_every_origin_of_its_profile(people: Lab) -> None:
    """Root and merged origin alike, each once."""
    async with visiting(people) as space, space.database.reading() as connection:
        ids = sorted(each.id for each in (await find(space, ANN)).origins)
        for asked in ([ids[0]], [ids[1]], ids):
            assert sorted(row.id for row in await snapshot_queries.origins(connection, space.tenant, asked)) == ids


async def test_the_rows_are_those_of_the_origins_asked(people: Lab) -> None:
    """Identifiers, keys, events, sightings and history; another id has none."""
    async with visiting(people) as space, space.database.reading() as connection:
        origins = (await find(space, ANN)).origins
        ids = {each.id for each in origins}
        tenant = space.tenant
        keys = await snapshot_queries.subject_keys(connection, tenant, list(ids))
        identifiers = await snapshot_queries.identifiers(connection, tenant, list(ids))
        events = await snapshot_queries.events(connection, tenant, list(ids))
        sightings = await snapshot_queries.sightings(connection, tenant, list(ids))
        history = await snapshot_queries.history(connection, tenant, list(ids))

        assert Counter(row.id for row in keys) == Counter(ids)
        assert {row.key for row in identifiers} == {
            space.keys.identifier(*each)
            for each in (
                ("user_id", "ann"), ("anonymous_id", "a1"), ("anonymous_id", "a2"), ("email", "ann@example.org"),
            )
        }  # fmt: skip
        assert sum(row.calls for row in events) == 1
        assert {row.origin for row in sightings} == ids
        assert {row.origin for row in history} == ids
        for read in (snapshot_queries.subject_keys, snapshot_queries.identifiers, snapshot_queries.events,
                     snapshot_queries.sightings, snapshot_queries.history, snapshot_queries.origins):  # fmt: skip
            assert await read(connection, tenant, [ProfileId(new_id())]) == []
