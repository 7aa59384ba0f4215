"""The consent of a person at a time, with the calls that it follows from."""

import pytest

from identity.operations.profiles.consent_history import consent_at, purposes_at
from identity.values.errors import BadParameter
from identity.values.stamps import Micros
from tests.support.database.known_people import ANN, BOB, visiting
from tests.support.processes.writer_processes import Lab


async def test_the_consent_of_now_names_its_evidence(people: Lab) -> None:
    """The call that decided, in the category and in the history; the purpose has its reason."""
    async with visiting(people) as space:
        now = await consent_at(space, ANN, None)

        assert (now.categories["Ads"].value, now.categories["Ads"].message_ids) == (True, ["m3"])
        assert [each.message_id for each in now.history] == ["m3"]
        assert now.purposes["Ads"].reason


async def test_before_a_decision_there_was_none(people: Lab) -> None:
    """And no purpose."""
    async with visiting(people) as space:
        before = await consent_at(space, ANN, "2020-01-01T00:00:00Z")

        assert (before.categories, before.purposes, before.history) == ({}, {}, [])
        assert (await purposes_at(space, Micros(1))).purposes == {}
        assert list((await purposes_at(space)).purposes) == ["Ads"]


async def test_a_person_who_decided_nothing_has_no_history(people: Lab) -> None:
    """The purpose is not granted, which is no conflict."""
    async with visiting(people) as space:
        bob = await consent_at(space, BOB, None)

        assert (bob.history, bob.purposes["Ads"].granted, bob.purposes["Ads"].partly) == ([], False, False)
        with pytest.raises(BadParameter):
            await consent_at(space, BOB, "yesterday")
