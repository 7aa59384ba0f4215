"""The numbers that a space keeps, counted again from its rows."""

from typing import Any

import pytest

from identity.planning.integrity.counter_check import CounterCheck
from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.integrity.row_index import RowIndex
from identity.planning.resolution.counters import pack
from identity.planning.resolution.planner_state import Counters, Window
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

ID, KEY = ProfileId(b"i" * 16), BlindIndex(b"k" * 32)


@pytest.mark.parametrize(("lane", "good"), [
    ((0, 3, 0, 3, 1, 3), True), ((0, 3, 0, 2, 1, 3), False), ((0, 3, 0, 3, 2, 4), False), ((0, 0, 0, 1, 1, 1), False),
    ((0, 1, 0, 0, None, None), False), ((0, None, 0, 1, 1, 1), False), ((0, 5, 2, 3, 3, 5), True),
    ((0, 5, 5, 0, None, None), True), ((0, 5, 2, 3, 2, 4), False), ((0, 5, 6, 0, None, None), False),
    ((0, 5, 2, 5, 1, 5), False),
])  # fmt: skip
def test_a_lane_holds_exactly_the_entries_after_its_base(lane: Any, good: bool) -> None:  # noqa: FBT001
    """A lane with missing, additional or shifted entries is broken."""
    findings = Discrepancies()
    index = RowIndex(findings)
    index.resolve_pointers()
    CounterCheck(index, findings).read_lane(*lane)

    assert [finding.kind for finding in findings] == ([] if good else ["lane_broken"])


def audited(own: Counters, folded: Counters | None = None, *, version: int = 1, events: int = 0) -> CounterCheck:
    """A profile with the user id u, whose row has these counters; they have been read."""
    findings = Discrepancies()
    index = RowIndex(findings)
    index.read_profile(
        ProfileId(ID),
        ProfileId(ID),
        ProfileId(ID),
        None,
        None,
        Stamp(1),
        Stamp(1),
        version,
        events,
        pack(own, lambda _: 1),
    )
    index.read_forward(BlindIndex(KEY), ProfileId(ID))
    index.read_reverse(ProfileId(ID), BlindIndex(KEY), 1, False, Stamp(1), Micros(5), True)
    index.resolve_pointers()
    check = CounterCheck(index, findings)
    check.read_counters(ProfileId(ID), pack(own, lambda _: 1), None if folded is None else pack(folded, lambda _: 1))
    return check


def kinds(check: CounterCheck) -> list[str]:
    """The kinds of discrepancy that were found."""
    return [found.kind for found in check.findings]


RIGHT = Counters(types={"user_id": 1}, live=[BlindIndex(KEY)])


@pytest.mark.parametrize(
    ("own", "folded", "found"),
    [
        (RIGHT, None, []),
        (Counters(types={"user_id": 2}, live=[BlindIndex(KEY)]), RIGHT, ["own_counters"]),
        (Counters(types={"user_id": 1}, live=[BlindIndex(b"x" * 32)]), RIGHT, ["own_counters"]),
        (RIGHT, Counters(types={"user_id": 1}, live=[BlindIndex(KEY)], origins=2), ["folded_counters"]),
        (RIGHT, Counters(types={"user_id": 1}, live=[BlindIndex(KEY)], cuts={b"c" * 16: (1, 0)}), ["cuts_wrong"]),
        (
            RIGHT,
            Counters(
                types={"user_id": 1}, live=[BlindIndex(KEY)], windows={"user_id": Window(2, {BlindIndex(KEY): 4})}
            ),
            ["window_wrong"],
        ),
        (
            RIGHT,
            Counters(
                types={"user_id": 1}, live=[BlindIndex(KEY)], windows={"user_id": Window(2, {BlindIndex(KEY): 5})}
            ),
            [],
        ),
    ],
)
def test_a_counter_that_differs_from_the_rows_is_found(
    own: Counters, folded: Counters | None, found: list[str]
) -> None:
    """Each number has a kind of its own."""
    assert kinds(audited(own, folded)) == found


def test_a_profile_without_its_last_feed_entry_is_found() -> None:
    """The last entry of a profile has the version of its row."""
    check = audited(RIGHT, version=2)
    check.read_feed_version(ProfileId(ID), 1)
    check.check([0])
    assert kinds(check) == ["version_untold"]

    check = audited(RIGHT, version=2)
    check.read_feed_version(ProfileId(ID), 2)
    check.check([0])
    assert kinds(check) == []


def test_fewer_counted_events_than_stored_calls_are_found() -> None:
    """More are right: the calls may have expired."""
    for events, found in ((1, ["events_missing"]), (2, []), (3, [])):
        check = audited(RIGHT, events=events)
        check.read_feed_version(ProfileId(ID), 1)
        check.read_events(ProfileId(ID), 1)
        check.check([1])
        assert kinds(check) == found


def test_the_feed_names_no_profile_that_is_unknown_or_erased() -> None:
    """An id that is gone may stand in a feed that has dropped entries."""
    check = audited(RIGHT)
    check.read_feed_version(ProfileId(b"y" * 16), 1)
    check.read_feed_version(ProfileId(ID), 1, erased=True)
    assert kinds(check) == ["change_unknown", "erased_alive"]
