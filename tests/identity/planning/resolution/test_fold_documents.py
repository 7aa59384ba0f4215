"""The document of an origin: the newest entry of each name wins, and denials find room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution import fold_documents
from identity.planning.resolution.fold_documents import (
    fold,
    members,
    merge_decisions,
    merge_membership,
    merge_signals,
    merge_traits,
    present,
)
from identity.values.documents import MAX_KEYS, MINOR, Document, Stamped, TimedSignal, cost
from identity.values.stamps import Micros, Stamp

VALUES = st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=3) | st.lists(st.integers(0, 2), max_size=2)
STEPS = st.lists(st.tuples(st.sampled_from("abc"), VALUES, st.integers(0, 3), st.integers(1, 9)), max_size=8)


@given(STEPS)
def test_the_size_is_the_cost_of_all_entries(steps: list[tuple[str, object, int, int]]) -> None:
    """In any order, with any values, before and after packing."""
    made = Document()
    for name, value, time, stamp in steps:
        merge_traits(made, {name: value}, Micros(time), Stamp(stamp))
        merge_decisions(made, {name: bool(value)}, Micros(time), Stamp(stamp))
        merge_membership(made, name, Micros(time), Stamp(stamp), member=bool(value))

    assert made.size == sum(cost(name, entry[0]) for held in made.sections for name, entry in held.items())
    assert fold_documents.unpack(fold_documents.pack(made)) == made


def full() -> Document:
    """A document without room for a trait."""
    made = Document()
    result = merge_traits(made, {f"t{nr}": nr for nr in range(MAX_KEYS + 2)}, Micros(1), Stamp(1))
    assert result.refused == [f"t{MAX_KEYS}", f"t{MAX_KEYS + 1}"]
    return made


def test_a_full_document_takes_changes_and_every_denial() -> None:
    """A grant finds the spare room alone, a departure and a denial by a server find room always."""
    made = full()

    assert merge_traits(made, {"t1": "new", "more": 1}, Micros(2), Stamp(2)).refused == ["more"]
    assert made.traits["t1"][0] == "new"
    assert merge_decisions(made, {"Ads": True}, Micros(1), Stamp(1)).stored
    made.size = 2**30
    assert merge_decisions(made, {"Other": True}, Micros(1), Stamp(1)).refused == ["Other"]
    assert merge_decisions(made, {"Other": False}, Micros(1), Stamp(1), server=True).stored
    assert merge_membership(made, "g", Micros(1), Stamp(1)).refused == ["g"]
    assert merge_membership(made, "g", Micros(1), Stamp(1), member=False).stored
    assert merge_signals(made, {"gpc": TimedSignal(value=True, time=Micros(1))}, Stamp(1)).stored


@pytest.mark.parametrize("swapped", [False, True])
def test_of_decisions_of_one_moment_the_strictest_counts(swapped: bool) -> None:  # noqa: FBT001
    """Whichever arrives first; a minor is the strict answer to the question whether a person is one."""
    made = Document()
    for stamp, strict in enumerate((swapped, not swapped), 1):
        merge_decisions(made, {"Ads": not strict}, Micros(5), Stamp(stamp))
        merge_signals(
            made, {MINOR: TimedSignal(strict, Micros(5)), "ads": TimedSignal(not strict, Micros(5))}, Stamp(stamp)
        )
        merge_signals(made, {"stated": TimedSignal(["a"] if strict else ["b", "a"], Micros(5))}, Stamp(stamp))

    assert made.consent["Ads"][0] is False
    assert (made.signals[MINOR][0], made.signals["ads"][0], made.signals["stated"][0]) == (True, False, ["a"])


def test_a_late_older_value_does_not_come_back_after_a_null() -> None:
    """Null leaves a tombstone, which no reader sees."""
    made = Document()
    merge_traits(made, {"plan": "pro"}, Micros(5), Stamp(5))
    assert merge_traits(made, {"plan": None}, Micros(6), Stamp(6)).visible
    assert not merge_traits(made, {"plan": "old"}, Micros(4), Stamp(7)).stored

    assert present(fold([made.traits])) == {}
    assert made.traits["plan"][0] is None


def test_the_newest_entry_of_all_origins_is_shown() -> None:
    """Of equal times the later stamp counts."""
    one: dict[str, Stamped] = {"a": (1, Micros(5), Stamp(1)), "g": (True, Micros(1), Stamp(1))}
    other: dict[str, Stamped] = {"a": (2, Micros(5), Stamp(2)), "h": (False, Micros(1), Stamp(1))}

    assert present(fold([one, other]))["a"] == present(fold([other, one]))["a"] == 2
    assert members(fold([{"g": one["g"]}, {"h": other["h"]}])) == ["g"]
