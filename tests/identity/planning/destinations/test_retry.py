"""What failed is tried again ever less often, spread out, and at last given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.destinations.retry import FIRST_WAIT, GIVE_UP, LONGEST_WAIT, next_attempt
from identity.values.calls import DAY, MICRO

T0 = 1_790_000_000 * MICRO
CHANCE = st.floats(0, 1)
FAILED = st.integers(1, 10_000)


@given(FAILED, CHANCE, st.integers(0, 8 * DAY))
def test_bounds(failed: int, chance: float, since: int) -> None:
    """The next attempt is five seconds to six hours away, and never more than seven days after the first."""
    at = next_attempt(T0, failed, T0 + since, chance)
    if at is None:
        assert since + LONGEST_WAIT > GIVE_UP
    else:
        assert FIRST_WAIT <= at - (T0 + since) <= LONGEST_WAIT
        assert at <= T0 + GIVE_UP


@given(FAILED, CHANCE)
def test_ever_longer(failed: int, chance: float) -> None:
    """Of two attempts with the same luck the later one waits as long or longer, twice as long at first."""
    first, second = (next_attempt(T0, each, T0, chance) for each in (failed, failed + 1))
    assert first
    assert second
    assert first <= second
    if failed < 10:
        assert abs((second - T0) - 2 * (first - T0)) <= 1


@given(FAILED, CHANCE, CHANCE)
def test_spread(failed: int, one: float, other: float) -> None:
    """Luck makes a wait up to half longer, in its order, and at the longest wait as well."""
    first, second = sorted((one, other))
    early, late, base = (next_attempt(T0, failed, T0, each) for each in (first, second, 0))
    assert early
    assert late
    assert base
    assert T0 < base <= early <= late <= T0 + (base - T0) * 3 // 2
    assert next_attempt(T0, failed, T0, 1) == T0 + (base - T0) * 3 // 2


@given(st.lists(CHANCE, min_size=100, max_size=100), st.integers(0, 30 * MICRO))
def test_a_delivery(chances: list[float], took: int) -> None:
    """A receiver that is down for good is called some dozens of times within seven days, and then no more."""
    now, attempts = T0, 0
    for chance in chances:
        attempts += 1
        following = next_attempt(T0, attempts, now + took, chance)
        if following is None:
            break
        now = following
    else:
        pytest.fail("it never ends")

    assert T0 + GIVE_UP - LONGEST_WAIT - took <= now <= T0 + GIVE_UP
    assert 30 <= attempts <= 60
