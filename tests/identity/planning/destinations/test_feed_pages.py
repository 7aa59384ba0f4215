"""Positions in the feed: read back unchanged, checked against the lanes, and never skipping an entry."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.destinations.feed_pages import (
    BEGINNING,
    Position,
    advance,
    feed_items,
    is_beginning,
    is_valid_position,
    misses_entries,
    pack,
    unpack,
)
from identity.values.enums import FeedOperation
from identity.values.ids import ErasureId, ProfileId
from identity.values.lane_entries import LaneEntry
from identity.values.stamps import Micros, Stamp

LANES = st.dictionaries(st.integers(0, 15), st.integers(0, 2**40), max_size=16)
PLACES = st.builds(
    Position,
    entitlement_version=st.integers(0, 9),
    purposes_version=st.integers(0, 9),
    began=st.integers(0, 2**60),
    after_profile=st.none() | st.binary(min_size=16, max_size=16),
    lanes=LANES,
)


def entry(lane: int, seq: int) -> LaneEntry:
    """An entry of a lane."""
    return LaneEntry(lane=lane, seq=seq, op=1, version=1, stamp=Stamp(0), profile=ProfileId(bytes(16)), other=None)


@given(PLACES)
def test_a_position_is_read_back_and_valid_only_within_its_lanes(position: Position) -> None:
    """A lane with an earlier head, or none, makes the position invalid."""
    raw = pack(position)
    assert unpack(raw) == position
    assert is_valid_position(raw, position.lanes)
    for lane, seq in position.lanes.items():
        short = position.lanes | {lane: seq - 1}
        assert not is_valid_position(raw, short)
        assert not is_valid_position(raw, {each: head for each, head in position.lanes.items() if each != lane})


@given(PLACES, st.binary(max_size=60))
def test_other_bytes_are_no_position(position: Position, raw: bytes) -> None:
    """Shorter, longer and random bytes, without an error."""
    assert not is_valid_position(pack(position)[:-1], position.lanes)
    assert not is_valid_position(pack(position) + b"x", position.lanes)
    assert not is_valid_position(raw, {}) or unpack(raw) is not None


@given(PLACES, st.dictionaries(st.integers(0, 15), st.integers(1, 5), min_size=1), st.data())
def test_a_page_without_its_first_entry_misses_entries(
    position: Position, counts: dict[int, int], data: st.DataObject
) -> None:
    """In any lane; a page that directly follows the position misses nothing."""
    page = [
        entry(lane, position.lanes.get(lane, 0) + nr) for lane, count in counts.items() for nr in range(1, count + 1)
    ]
    assert not misses_entries(position, page)
    after = advance(position, page)
    assert all(after.lanes[lane] == position.lanes.get(lane, 0) + count for lane, count in counts.items())
    lane = data.draw(st.sampled_from(sorted(counts)))
    first = position.lanes.get(lane, 0) + 1
    left = [each for each in page if (each.lane, each.seq) != (lane, first)]
    assert misses_entries(position, left) == (counts[lane] > 1)


def change(
    op: FeedOperation, profile: bytes, other: ProfileId | ErasureId | None = None, version: int = 1
) -> LaneEntry:
    """An entry about a profile."""
    return LaneEntry(lane=0, seq=1, op=op, version=version, stamp=Stamp(0), profile=ProfileId(profile), other=other)


def test_a_state_appears_once_at_its_last_entry() -> None:
    """Under its canonical id, so a page discloses a person once."""
    a, b = ProfileId(b"a" * 16), ProfileId(b"b" * 16)
    entries = [
        change(FeedOperation.UPSERT, a),
        change(FeedOperation.UPSERT, b),
        change(FeedOperation.UPSERT, a, None, 2),
    ]

    assert [(each.profile, each.version) for each in feed_items(entries, {a: a, b: b})] == [(b, 1), (a, 2)]
    assert [(each.profile, each.version) for each in feed_items(entries, {a: b, b: b})] == [(b, 2)]


def test_merges_and_unmerges_follow_the_current_state() -> None:
    """An entry of a merge that was undone since reports two profiles."""
    a, b = ProfileId(b"a" * 16), ProfileId(b"b" * 16)
    merge = [change(FeedOperation.MERGE, a, b)]

    assert [(each.op, each.profile, each.other_profile_ids) for each in feed_items(merge, {a: a, b: a})] == [
        (FeedOperation.MERGE, a, (b,)), (None, a, ()),
    ]  # fmt: skip
    assert [(each.op, each.profile, each.other_profile_ids) for each in feed_items(merge, {a: a, b: b})] == [
        (FeedOperation.UNMERGE, a, (b,)), (None, a, ()), (None, b, ()),
    ]  # fmt: skip
    assert [(each.op, each.profile) for each in feed_items(merge, {})] == [(None, a), (None, b)]


def test_an_erasure_is_one_item_with_all_ids_of_the_person() -> None:
    """The ids come in the order of their entries."""
    erased = [change(FeedOperation.ERASE, each * 16, ErasureId(b"e" * 16)) for each in (b"a", b"b", b"c")]

    (item,) = feed_items(erased, {})
    assert (item.profile, item.other_profile_ids, item.erasure_id) == (b"a" * 16, (b"b" * 16, b"c" * 16), b"e" * 16)


def test_other_versions_start_the_pass_through_all_profiles_again() -> None:
    """The lanes stay, so the pass ends where the feed was left."""
    position = Position(entitlement_version=1, purposes_version=2, began=Micros(5), after_profile=None, lanes={3: 4})

    assert position.again(1, 2) is position
    again = position.again(2, 2)
    assert (again.after_profile, again.began, again.lanes) == (BEGINNING, 5, {3: 4})
    assert is_beginning(pack(again))
    assert not is_beginning(pack(position))
