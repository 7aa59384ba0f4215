"""Reads of one profile, of many and of all."""

import pytest

from identity.operations.profiles import read_profile
from identity.operations.profiles.profile import open_profile
from identity.operations.profiles.read_profile import (
    get_profile,
    held,
    list_identifiers,
    list_profiles,
    lookup,
    lookup_each,
)
from identity.values.errors import BadCursor, BadIdentifier, HoldNotFound, ProfileNotFound
from tests.support.database.known_people import ANN, BOB, visiting
from tests.support.processes.writer_processes import Lab


async def test_a_profile_is_folded_from_all_its_origins(people: Lab) -> None:
    """With the traits, the group and the decision of every call."""
    async with visiting(people) as space:
        ann = await get_profile(space, "anonymous_id:a2")

        assert (ann.traits, ann.groups, ann.event_count) == ({"email": "ann@example.org", "plan": "pro"}, ["acme"], 6)
        assert sorted(f"{each.type}:{each.value}" for each in ann.identifiers) == [
            "anonymous_id:a1", "anonymous_id:a2", "email:ann@example.org", ANN,
        ]  # fmt: skip
        assert (ann.consent["Ads"].value, len(ann.merged_from)) == (True, 1)
        with pytest.raises(ProfileNotFound):
            await get_profile(space, "user_id:nobody")


async def test_a_lookup_answers_each_identifier_as_written(people: Lab) -> None:
    """A faulty one keeps no other from its answer."""
    async with visiting(people) as space:
        found = await lookup_each(space, [ANN, "email:ANN@example.org", "user_id:nobody", "ann", "mail:x"])
        shown = [each and each.traits["plan"] for each in found.profiles.values()]

        assert shown == ["pro", "pro", None, None, None]
        assert [(fault.index, fault.code) for fault in found.faults] == [(3, "bad_identifier"), (4, "unknown_type")]
        with pytest.raises(BadIdentifier):
            await lookup(space, [ANN, "ann"])


async def test_pages_hold_every_profile_once(people: Lab) -> None:
    """A cursor of another list, or of nobody, is refused."""
    async with visiting(people) as space:
        first = await list_profiles(space, 1, None)
        second = await list_profiles(space, 1, first.next_cursor)
        last = await list_profiles(space, 1, second.next_cursor)

        found = {each.id for page in (first, second, last) for each in page.profiles}
        assert found == {(await get_profile(space, ref)).id for ref in (ANN, BOB)}
        assert (last.profiles, last.next_cursor) == ([], None)
        for cursor in ("x", space.write_cursor(b"history", bytes(16))):
            with pytest.raises(BadCursor):
                await list_profiles(space, 1, cursor)


async def test_the_pages_of_identifiers_hold_each_of_them_once(people: Lab) -> None:
    """In the order of linking, as the profile has them; a cursor of another list or profile is refused."""
    async with visiting(people) as space:
        whole = (await get_profile(space, ANN)).identifiers
        first = await list_identifiers(space, ANN, 2, None)
        second = await list_identifiers(space, ANN, 2, first.next_cursor)

        assert first.identifiers + second.identifiers == whole
        assert (first.total, second.total, second.next_cursor) == (4, 4, None)
        with pytest.raises(ProfileNotFound):
            await list_identifiers(space, "user_id:nobody", 2, None)
        with pytest.raises(BadCursor):
            await list_identifiers(space, ANN, 2, space.write_cursor(b"profiles", bytes(16)))
        with pytest.raises(BadCursor):
            await list_identifiers(space, BOB, 2, first.next_cursor)


async def test_a_page_goes_on_at_a_call_whose_identifier_is_gone(people: Lab) -> None:
    """An identifier may come twice then, and none is left out. No cursor holds a blind index."""
    async with visiting(people) as space:
        profile = await open_profile(space, ANN)
        rows = profile.identifiers
        for number, row in enumerate(rows):
            position = read_profile._position(space, row)

            assert bytes(row.key) not in position
            assert read_profile._after(space, rows, position) == number + 1
            assert read_profile._after(space, rows[:number] + rows[number + 1 :], position) <= number


async def test_a_page_of_large_profiles_is_short(people: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer has more bytes than the bound, but for the first profile of a page."""
    async with visiting(people) as space:
        monkeypatch.setattr(read_profile, "_MOST_BYTES", 1)
        page = await list_profiles(space, 100, None)

        assert len(page.profiles) <= 1
        assert page.next_cursor is not None


async def test_a_hold_that_is_not_there_shows_nobody(people: Lab) -> None:
    """Neither does a text that is no id of a hold."""
    async with visiting(people) as space:
        for hold in ("hld_" + "0" * 32, "x"):
            with pytest.raises(HoldNotFound):
                await held(space, hold)
