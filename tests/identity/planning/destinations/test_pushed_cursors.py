"""Places as they are sent to: what lies between two, whether one is the end, and how far several are."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.destinations.feed_pages import (
    ASTRAY,
    BEGINNING,
    Position,
    between,
    further,
    pack,
    stands,
    starts,
    unpack,
)

LANES = st.dictionaries(st.integers(0, 7), st.integers(0, 20), max_size=8)
AFTER = st.one_of(st.none(), st.binary(min_size=16, max_size=16))
POSITIONS = st.builds(Position, st.integers(1, 3), st.integers(0, 3), st.integers(0, 1 << 60), AFTER, LANES)


@given(POSITIONS)
def test_packed(position: Position) -> None:
    """A place is the same when it was packed, and one that was cut or of another form is none."""
    raw = pack(position)
    assert unpack(raw) == position
    assert unpack(raw[:-1]) is None
    assert unpack(b"\x02" + raw[1:]) is None
    assert starts(raw) == (position.after == BEGINNING)


@given(POSITIONS, POSITIONS)
def test_between(before: Position, after: Position) -> None:
    """What lies between two places is each entry after the one up to the other, and nothing twice."""
    told, since = between(pack(before), pack(after))
    seen = [(lane, seq) for lane, low, high in told for seq in range(low + 1, high + 1)]
    wanted = {
        (lane, seq) for lane, high in after.lanes.items() for seq in range(before.lanes.get(lane, 0) + 1, high + 1)
    }
    assert len(seen) == len(set(seen))
    assert set(seen) == wanted
    assert since == (after.began - ASTRAY if after.after is None else None)


@given(POSITIONS, LANES)
def test_stands(position: Position, came: dict[int, int]) -> None:
    """A place is the end only under the same versions, with everybody gone through, and with no entry after it."""
    entries = sum(position.lanes.values())
    assert stands(pack(position), position.entitled, position.purposes, entries) == (position.after is None)
    assert not stands(pack(position), position.entitled + 1, position.purposes, entries)
    assert not stands(pack(position), position.entitled, position.purposes + 1, entries)
    assert not stands(None, position.entitled, position.purposes, entries)
    if sum(came.values()):
        assert not stands(pack(position), position.entitled, position.purposes, entries + sum(came.values()))


@given(st.lists(POSITIONS, max_size=4))
def test_further(positions: list[Position]) -> None:
    """The furthest of places is in each lane as far as the furthest of them there."""
    lanes = further(None, *map(pack, positions))
    assert lanes == {
        lane: max(each.lanes.get(lane, 0) for each in positions)
        for lane in {lane for e in positions for lane in e.lanes}
    }
