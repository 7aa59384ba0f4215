"""Why two identifiers are one profile: the links between them with their calls."""

import pytest

from identity.operations.profiles.explain_link import explain
from identity.values.errors import BadIdentifier, NotLinked
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab


async def test_a_path_names_the_calls_behind_each_link(people: Lab) -> None:
    """From one device to the other by way of the person."""
    async with visiting(people) as space:
        found = await explain(space, ANN, "anonymous_id:a1", "anonymous_id:a2")

        assert [(link.start, link.end) for link in found.shortest] == [
            ("anonymous_id:a1", ANN), (ANN, "anonymous_id:a2"),
        ]  # fmt: skip
        assert [[each.call.message_id for each in link.calls] for link in found.shortest] == [["m1"], ["m3"]]


async def test_two_people_are_explained_as_two(people: Lab) -> None:
    """With the reason that Onefold recorded; one identifier has to be named rightly."""
    async with visiting(people) as space:
        with pytest.raises(NotLinked, match="They are two people"):
            await explain(space, ANN, ANN, "user_id:bob")
        with pytest.raises(BadIdentifier, match="from"):
            await explain(space, ANN, "ann", ANN)
