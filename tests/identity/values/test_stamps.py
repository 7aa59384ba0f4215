"""Stamps strictly increase whatever the wall clock does, and stay within the lease."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import Unavailable
from identity.values.stamps import Clock, stamp_slot, stamp_time

FAR = 10**18
MOMENTS = st.integers(min_value=0, max_value=10**16)


@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1), st.integers(min_value=0, max_value=255))
def test_stamps_exceed_all_before(steps: list[tuple[int, int]], slot: int) -> None:
    """Each stamp exceeds what it follows and all earlier ones, with the wall clock jumping about."""
    wall = [0]
    clock = Clock(slot, FAR, wall=lambda: wall[0] * 1000)
    last = -1
    for moment, after in steps:
        wall[0] = moment
        stamp = clock.next(after << 8)
        assert stamp > max(last, after << 8)
        assert stamp_slot(stamp) == slot
        last = stamp


@pytest.mark.parametrize("slot", [0, 255])
def test_a_stamp_follows_any_slot_at_the_same_microsecond(slot: int) -> None:
    """A greater slot in the same microsecond is exceeded by the next microsecond."""
    clock = Clock(slot, FAR, wall=lambda: 0)
    after = 5 << 8 | 128
    assert clock.next(after) == (5 + (slot < 128)) << 8 | slot


def test_a_stamp_tells_its_time() -> None:
    """The time of a stamp is the microsecond it was taken at."""
    clock = Clock(3, FAR, wall=lambda: 1_234_567_890)
    assert (clock.now(), stamp_time(clock.next())) == (1_234_567, 1_234_567)


def test_no_stamp_without_a_lease() -> None:
    """A clock that was never given a lease gives nothing."""
    with pytest.raises(Unavailable):
        Clock(0, wall=lambda: 1000).next()


def test_no_stamp_at_the_end_of_the_lease() -> None:
    """The bound is exclusive: the next owner of the slot starts there."""
    clock = Clock(0, 10, wall=lambda: 9_000)
    assert stamp_time(clock.next()) == 9
    with pytest.raises(Unavailable):
        clock.next()


def test_no_stamp_beyond_the_lease_after_a_stamp_from_the_future() -> None:
    """Following another writer never leads out of the lease, and extending it helps."""
    clock = Clock(0, 10, wall=lambda: 0)
    with pytest.raises(Unavailable):
        clock.next(10 << 8)
    clock.extend(12)
    assert clock.next(10 << 8) == 11 << 8


def test_a_refused_stamp_leaves_no_trace() -> None:
    """What was refused does not push the clock ahead."""
    clock = Clock(0, 10, wall=lambda: 0)
    with pytest.raises(Unavailable):
        clock.next(50 << 8)
    assert stamp_time(clock.next()) == 1


def test_a_lease_never_shrinks() -> None:
    """A late answer with an older bound changes nothing."""
    clock = Clock(0, 10, wall=lambda: 0)
    clock.extend(5)
    assert clock.until == 10


@pytest.mark.parametrize("slot", [-1, 256])
def test_a_slot_has_one_byte(slot: int) -> None:
    """A slot that does not fit would run into the time."""
    with pytest.raises(ValueError, match="0 to 255"):
        Clock(slot)


def test_threads_never_share_a_stamp() -> None:
    """One clock used from several threads gives each stamp once."""
    clock = Clock(7, FAR, wall=lambda: 0)
    with ThreadPoolExecutor(4) as pool:
        stamps = list(pool.map(lambda _: clock.next(), range(2000)))
    assert len(set(stamps)) == 2000
