"""A profile is found by every identifier in any spelling, and by every id that it ever had."""

import pytest

from identity.operations.profiles.find_profile import find
from identity.values.errors import BadIdentifier, ProfileNotFound
from identity.values.ids import new_id, public_profile
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab


async def test_every_identifier_and_every_id_lead_to_the_same_origins(people: Lab) -> None:
    """Those of the merged profile too; another id leads nowhere."""
    async with visiting(people) as space:
        found = await find(space, ANN)
        ids = {origin.id for origin in found.origins}
        others = ["anonymous_id:a1", "anonymous_id:a2", "email:Ann@Example.org", *map(public_profile, sorted(ids))]

        assert len(ids) == 2
        assert [{origin.id for origin in (await find(space, ref)).origins} for ref in others] == [ids] * len(others)
        assert (await find(space, public_profile(new_id()))).origins == []


async def test_a_type_that_nobody_has_finds_no_profile(people: Lab) -> None:
    """A text without a type is a mistake."""
    async with visiting(people) as space:
        with pytest.raises(ProfileNotFound, match="user_id"):
            await find(space, "userid:ann")
        with pytest.raises(BadIdentifier):
            await find(space, "ann")
