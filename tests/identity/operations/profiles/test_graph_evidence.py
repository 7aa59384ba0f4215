"""The evidence of a profile: sets of identifiers that occur together, read without unsealing a call."""

from identity.operations.profiles.graph_evidence import read_graph_evidence
from identity.operations.profiles.profile import open_profile
from tests.support.database.known_people import ANN, visiting
from tests.support.processes.writer_processes import Lab


async def test_every_call_is_a_set_of_the_identifiers_that_it_kept(people: Lab) -> None:
    """Linked pairs have the calls that name both."""
    async with visiting(people) as space:
        evidence = await read_graph_evidence(await open_profile(space, ANN))
        user, one, two = (
            space.keys.identifier(*each)
            for each in (("user_id", "ann"), ("anonymous_id", "a1"), ("anonymous_id", "a2"))
        )

        assert {evidence.text(key) for key in evidence.identifiers} == {
            ANN, "anonymous_id:a1", "anonymous_id:a2", "email:ann@example.org",
        }  # fmt: skip
        assert [len(evidence.calls_of(user, each)) for each in (one, two)] == [1, 1]
        assert evidence.calls_of(one, two) == []
        assert evidence.graph().has_edge(user, two)
        assert not evidence.graph().has_edge(one, two)
