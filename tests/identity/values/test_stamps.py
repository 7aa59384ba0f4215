"""Stamps strictly increase under any wall clock, and stay within the lease."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import Unavailable
from identity.values.stamps import SLOTS, Clock, Micros, Stamp, stamp_time

FAR = 10**18
MOMENTS = st.integers(min_value=0, max_value=10**16)


@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1), st.integers(min_value=0, max_value=255))
def test_a_stamp_exceeds_every_earlier_stamp_when_the_wall_clock_jumps(steps: list[tuple[int, int]], slot: int) -> None:
    """Each stamp exceeds the stamp to follow and all earlier ones of its clock."""
    wall = [0]
    clock = Clock(slot, Micros(FAR), wall=lambda: wall[0] * 1000)
    last = -1
    for moment, after in steps:
        wall[0] = moment
        stamp = clock.next(Stamp(after << 8))
        assert stamp > max(last, after << 8)
        assert stamp % SLOTS == slot
        last = stamp


@pytest.mark.parametrize("slot", [0, 255])
def test_a_stamp_exceeds_any_slot_of_the_same_microsecond(slot: int) -> None:
    """The next microsecond exceeds a greater slot."""
    clock = Clock(slot, Micros(FAR), wall=lambda: 0)
    after = 5 << 8 | 128
    assert clock.next(Stamp(after)) == (5 + (slot < 128)) << 8 | slot


def test_the_time_of_a_stamp_is_the_time_of_its_clock() -> None:
    """To the microsecond."""
    clock = Clock(3, Micros(FAR), wall=lambda: 1_234_567_890)
    assert (clock.now(), stamp_time(clock.next())) == (1_234_567, 1_234_567)


def test_a_clock_without_a_lease_gives_no_stamp() -> None:
    """The lease of a new clock ends in 1970."""
    with pytest.raises(Unavailable):
        Clock(0, wall=lambda: 1000).next()


def test_a_clock_gives_no_stamp_at_the_end_of_its_lease() -> None:
    """The end is exclusive: the next owner of the slot starts there."""
    clock = Clock(0, Micros(10), wall=lambda: 9_000)
    assert stamp_time(clock.next()) == 9
    with pytest.raises(Unavailable):
        clock.next()


def test_a_stamp_of_the_future_leads_no_clock_out_of_its_lease() -> None:
    """A longer lease admits a stamp that follows another writer."""
    clock = Clock(0, Micros(10), wall=lambda: 0)
    with pytest.raises(Unavailable):
        clock.next(Stamp(10 << 8))
    clock.extend(Micros(12))
    assert clock.next(Stamp(10 << 8)) == 11 << 8


def test_a_refused_stamp_does_not_advance_the_clock() -> None:
    """The next stamp continues from the last one."""
    clock = Clock(0, Micros(10), wall=lambda: 0)
    with pytest.raises(Unavailable):
        clock.next(Stamp(50 << 8))
    assert stamp_time(clock.next()) == 1


def test_a_lease_never_shrinks() -> None:
    """An earlier end changes nothing."""
    clock = Clock(0, Micros(10), wall=lambda: 0)
    clock.extend(Micros(5))
    assert clock.until == 10


@pytest.mark.parametrize("slot", [-1, 256])
def test_a_slot_has_one_byte(slot: int) -> None:
    """A greater slot would change the time of a stamp."""
    with pytest.raises(ValueError, match="0 to 255"):
        Clock(slot)


def test_threads_never_share_a_stamp() -> None:
    """One clock gives several threads different stamps."""
    clock = Clock(7, Micros(FAR), wall=lambda: 0)
    with ThreadPoolExecutor(4) as pool:
        stamps = list(pool.map(lambda _: clock.next(), range(2000)))
    assert len(set(stamps)) == 2000
