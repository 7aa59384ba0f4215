"""Places in the feed: read back as they were written, held against the lanes, and never passed over."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.destinations.feed_pages import LaneEntry, Position, advanced, missed, pack, unpack, within

LANES = st.dictionaries(st.integers(0, 15), st.integers(0, 2**40), max_size=16)
PLACES = st.builds(
    Position,
    entitled=st.integers(0, 9),
    purposes=st.integers(0, 9),
    began=st.integers(0, 2**60),
    after=st.none() | st.binary(min_size=16, max_size=16),
    lanes=LANES,
)


def entry(lane: int, seq: int) -> LaneEntry:
    """An entry of a lane."""
    return LaneEntry(lane, seq, 1, 1, 0, bytes(16), None)


@given(PLACES)
def test_written_and_read(place: Position) -> None:
    """What is written is read as it was, and lies within lanes that have come as far, and no others."""
    raw = pack(place)
    assert unpack(raw) == place
    assert within(raw, place.lanes)
    for lane, seq in place.lanes.items():
        short = place.lanes | {lane: seq - 1}
        assert not within(raw, short)
        assert not within(raw, {each: head for each, head in place.lanes.items() if each != lane})


@given(PLACES, st.binary(max_size=60))
def test_nothing_else_is_a_place(place: Position, raw: bytes) -> None:
    """What is cut short, longer or anything at all is none, and raises nothing."""
    assert not within(pack(place)[:-1], place.lanes)
    assert not within(pack(place) + b"x", place.lanes)
    assert not within(raw, {}) or unpack(raw) is not None


@given(PLACES, st.dictionaries(st.integers(0, 15), st.integers(1, 5), min_size=1), st.data())
def test_missed(place: Position, counts: dict[int, int], data: st.DataObject) -> None:
    """A page that follows a place misses nothing; one whose beginning went meanwhile does, in any lane."""
    page = [entry(lane, place.lanes.get(lane, 0) + nr) for lane, count in counts.items() for nr in range(1, count + 1)]
    assert not missed(place, page)
    after = advanced(place, page)
    assert all(after.lanes[lane] == place.lanes.get(lane, 0) + count for lane, count in counts.items())
    lane = data.draw(st.sampled_from(sorted(counts)))
    first = place.lanes.get(lane, 0) + 1
    left = [each for each in page if (each.lane, each.seq) != (lane, first)]
    assert missed(place, left) == (counts[lane] > 1)
