"""The evidence graph of a profile, with its review and, for a picture, with places."""

import pytest

from identity.operations.profiles.read_graph import get_graph, place_graph
from identity.values.errors import ProfileNotFound
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab


async def test_a_graph_has_every_identifier_and_its_claims(people: Lab) -> None:
    """The address is claimed by another person as well."""
    async with visiting(people) as space:
        graph = await get_graph(space, ANN)
        texts = {graph.texts[node.key] for node in graph.nodes}

        assert (graph.node_count, graph.link_count, graph.strong_ids) == (4, 4, 1)
        assert texts == {ANN, "anonymous_id:a1", "anonymous_id:a2", "email:ann@example.org"}
        assert {graph.texts[each.key]: each.claimed_by_others for each in graph.over_connected} == {
            "email:ann@example.org": 1
        }
        assert graph.review.split is None


async def test_a_picture_has_a_place_for_each_identifier(people: Lab) -> None:
    """A graph without a picture has none."""
    async with visiting(people) as space:
        drawn = await place_graph(space, ANN)

        assert drawn.places is not None
        assert len(drawn.places) == drawn.node_count
        assert (await get_graph(space, ANN)).places is None
        with pytest.raises(ProfileNotFound):
            await get_graph(space, "user_id:nobody")
