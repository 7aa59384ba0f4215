"""The history of a profile, newest first, with the call that caused each line."""

import pytest

from identity.operations.profiles.read_history import HistoryEntry, get_history
from identity.values.enums import HistoryKind
from identity.values.errors import BadCursor, ProfileNotFound
from tests.support.database.known_people import ANN, BOB, visiting
from tests.support.processes.writer_processes import Lab


async def test_each_line_names_its_call_and_its_identifiers(people: Lab) -> None:
    """A merge names the id that ended."""
    async with visiting(people) as space:
        lines = [each for each in (await get_history(space, ANN, 100, None)).entries if isinstance(each, HistoryEntry)]
        merged = next(each for each in lines if each.kind == HistoryKind.MERGED)
        gained = [each for each in lines if each.kind == HistoryKind.IDENTIFIERS_GAINED]

        assert [each.at for each in lines] == sorted((each.at for each in lines), reverse=True)
        assert (merged.message_id, merged.other is not None, merged.by_key) == ("m3", True, False)
        assert {each.value for line in gained for each in line.identifiers or ()} == {
            "ann",
            "a1",
            "a2",
            "ann@example.org",
        }


async def test_a_demoted_identifier_has_its_reason(people: Lab) -> None:
    """And its value, which only the call holds."""
    async with visiting(people) as space:
        lines = [each for each in (await get_history(space, BOB, 100, None)).entries if isinstance(each, HistoryEntry)]
        (demoted,) = [each for each in lines if each.kind == HistoryKind.IDENTIFIERS_DEMOTED]

        assert demoted.message_id == "m7"
        assert [(each.type, each.value, each.reason) for each in demoted.identifiers or ()] == [
            ("email", "ann@example.org", "limit:user_id")
        ]


async def test_pages_of_any_size_hold_every_line_once(people: Lab) -> None:
    """In the same order."""
    async with visiting(people) as space:
        whole = (await get_history(space, ANN, 100, None)).entries
        paged, cursor = [], None
        while True:
            page = await get_history(space, ANN, 1, cursor)
            paged += page.entries
            cursor = page.next_cursor
            if cursor is None:
                break

        assert paged == whole
        with pytest.raises(BadCursor):
            await get_history(space, ANN, 1, "x")
        with pytest.raises(BadCursor):
            await get_history(space, BOB, 1, (await get_history(space, ANN, 1, None)).next_cursor)
        with pytest.raises(ProfileNotFound):
            await get_history(space, "user_id:nobody", 1, None)
