"""An opened profile: the calls behind its traits, and the merges that joined its origins."""

import asyncio

import pytest

from identity.operations.profiles import profile as profiles
from identity.operations.profiles.profile import open_profile
from tests.support.database.known_people import ANN, BOB, visiting
from tests.support.processes.writer_processes import Lab


async def test_each_trait_comes_with_the_call_that_set_it(people: Lab) -> None:
    """And with the origin at which the call arrived."""
    async with visiting(people) as space:
        profile = await open_profile(space, ANN)
        folded = await profile.fold_profile(set_traits=True)

        assert folded.set_traits is not None
        assert {name: each.message_id for name, each in folded.set_traits.items()} == {"email": "m1", "plan": "m1"}
        assert {each.origin for each in folded.set_traits.values()} <= {origin.id for origin in profile.origins}
        assert (await profile.fold_profile()).set_traits is None


async def test_the_merges_are_those_of_its_origins(people: Lab) -> None:
    """A profile that never merged has none; the id is that of the oldest origin."""
    async with visiting(people) as space:
        ann, bob = await open_profile(space, ANN), await open_profile(space, BOB)
        ((_, loser, winner),) = [(each.stamp, each.loser, each.winner) for each in ann.meetings()]

        assert {loser, winner} == {origin.id for origin in ann.origins}
        assert ann.id == min(ann.origins, key=lambda origin: origin.oldest_birth).id
        assert bob.meetings() == []


async def test_an_answer_has_the_first_identifiers_and_the_number_of_all(people: Lab) -> None:
    """The times of the profile are those of all its identifiers."""
    async with visiting(people) as space:
        profile = await open_profile(space, ANN)
        whole, part = await profile.fold_profile(most=None), await profile.fold_profile(most=1)

        assert (len(whole.identifiers), part.identifiers) == (4, whole.identifiers[:1])
        assert (part.identifiers_total, part.first_seen, part.last_seen) == (4, whole.first_seen, whole.last_seen)
        assert whole.last_seen == max(each.last_seen for each in whole.identifiers)


async def test_other_requests_go_on_while_many_identifiers_are_opened(
    people: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two slices each of them has a turn."""
    monkeypatch.setattr(profiles, "_SLICE", 1)
    turns = 0

    async def go_on() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with visiting(people) as space:
        profile = await open_profile(space, ANN)
        other = asyncio.create_task(go_on())
        await profile.opened_identifiers(profile.identifiers)
        other.cancel()

    assert turns >= 3
