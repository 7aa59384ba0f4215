"""A failed delivery is retried less and less often, spread out by chance, and finally given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.destinations.retry import FIRST_WAIT, GIVE_UP, LONGEST_WAIT, next_attempt
from identity.values.calls import DAY, MICRO
from identity.values.stamps import Micros

T0 = 1_790_000_000 * MICRO
CHANCE = st.floats(0, 1)
FAILED = st.integers(1, 10_000)


@given(FAILED, CHANCE, st.integers(0, 8 * DAY))
def test_a_wait_is_between_five_seconds_and_six_hours(failed: int, chance: float, since: int) -> None:
    """And no attempt is more than seven days after the first."""
    at = next_attempt(Micros(T0), failed, Micros(T0 + since), chance)
    if at is None:
        assert since + LONGEST_WAIT > GIVE_UP
    else:
        assert FIRST_WAIT <= at - (T0 + since) <= LONGEST_WAIT
        assert at <= T0 + GIVE_UP


@given(FAILED, CHANCE)
def test_waits_grow(failed: int, chance: float) -> None:
    """With the same chance a later attempt never waits less; the first waits double."""
    first, second = (next_attempt(Micros(T0), each, Micros(T0), chance) for each in (failed, failed + 1))
    assert first
    assert second
    assert first <= second
    if failed < 10:
        assert abs((second - T0) - 2 * (first - T0)) <= 1


@given(FAILED, CHANCE, CHANCE)
def test_chance_lengthens_a_wait_by_up_to_half(failed: int, one: float, other: float) -> None:
    """Also at the longest wait."""
    first, second = sorted((one, other))
    early, late, base = (next_attempt(Micros(T0), failed, Micros(T0), each) for each in (first, second, 0))
    assert early
    assert late
    assert base
    assert T0 < base <= early <= late <= T0 + (base - T0) * 3 // 2
    assert next_attempt(Micros(T0), failed, Micros(T0), 1) == T0 + (base - T0) * 3 // 2


@given(st.lists(CHANCE, min_size=100, max_size=100), st.integers(0, 30 * MICRO))
def test_a_delivery_is_given_up_after_seven_days(chances: list[float], took: int) -> None:
    """After 30 to 60 attempts at a receiver that stays down."""
    now, attempts = T0, 0
    for chance in chances:
        attempts += 1
        following = next_attempt(Micros(T0), attempts, Micros(now + took), chance)
        if following is None:
            break
        now = following
    else:
        pytest.fail("it never ends")

    assert T0 + GIVE_UP - LONGEST_WAIT - took <= now <= T0 + GIVE_UP
    assert 30 <= attempts <= 60
