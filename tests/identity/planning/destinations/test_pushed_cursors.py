"""Positions of pushed feeds: entries between two, the end of the feed, and the furthest of several."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.destinations.feed_pages import (
    BEGINNING,
    ERASURE_MARGIN,
    Position,
    entries_between,
    furthest,
    is_beginning,
    is_up_to_date,
    pack,
    unpack,
)

LANES = st.dictionaries(st.integers(0, 7), st.integers(0, 20), max_size=8)
AFTER = st.one_of(st.none(), st.binary(min_size=16, max_size=16))
POSITIONS = st.builds(Position, st.integers(1, 3), st.integers(0, 3), st.integers(0, 1 << 60), AFTER, LANES)


@given(POSITIONS)
def test_a_packed_position_is_read_back(position: Position) -> None:
    """A cut one, or one of another form, is none."""
    packed_position = pack(position)
    assert unpack(packed_position) == position
    assert unpack(packed_position[:-1]) is None
    assert unpack(b"\x02" + packed_position[1:]) is None
    assert is_beginning(packed_position) == (position.after_profile == BEGINNING)


@given(POSITIONS, POSITIONS)
def test_entries_between_two_positions_are_listed_once(before: Position, after: Position) -> None:
    """Each entry after the first position up to the second."""
    ranges, since = entries_between(pack(before), pack(after))
    seen = [(lane, seq) for lane, low, high in ranges for seq in range(low + 1, high + 1)]
    wanted = {
        (lane, seq) for lane, high in after.lanes.items() for seq in range(before.lanes.get(lane, 0) + 1, high + 1)
    }
    assert len(seen) == len(set(seen))
    assert set(seen) == wanted
    assert since == (after.began - ERASURE_MARGIN if after.after_profile is None else None)


@given(POSITIONS, LANES)
def test_a_position_is_up_to_date_only_at_the_end(position: Position, came: dict[int, int]) -> None:
    """Under the same versions, after all profiles, and with no later entry."""
    entries = sum(position.lanes.values())
    assert is_up_to_date(pack(position), position.entitlement_version, position.purposes_version, entries) == (
        position.after_profile is None
    )
    assert not is_up_to_date(pack(position), position.entitlement_version + 1, position.purposes_version, entries)
    assert not is_up_to_date(pack(position), position.entitlement_version, position.purposes_version + 1, entries)
    assert not is_up_to_date(None, position.entitlement_version, position.purposes_version, entries)
    if sum(came.values()):
        assert not is_up_to_date(
            pack(position), position.entitlement_version, position.purposes_version, entries + sum(came.values())
        )


@given(st.lists(POSITIONS, max_size=4))
def test_the_furthest_position_is_the_greatest_per_lane(positions: list[Position]) -> None:
    """Over any number of positions."""
    lanes = furthest(None, *map(pack, positions))
    assert lanes == {
        lane: max(each.lanes.get(lane, 0) for each in positions)
        for lane in {lane for e in positions for lane in e.lanes}
    }
