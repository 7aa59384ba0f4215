"""Which space a free writer serves, and when a spare writer is due: simulated, with spaces whose commits hang."""

from heapq import heappop, heappush

from hypothesis import given
from hypothesis import strategies as st

from identity.operations.ingest.turns import JOIN, MOST, PATIENCE, SHARE, Turns
from identity.values.ids import SpaceNumber

COMMIT = 0.01
REGULAR = 2


def delays(hanging: int, arrivals: list[tuple[float, int]]) -> list[float]:
    """Seconds that requests of healthy spaces wait for a writer; spaces up to `hanging` commit never.

    Arrivals are (moment, space); a space from `hanging` on is healthy.
    """
    turns, writers, waited = Turns(), REGULAR, []
    waiting: list[tuple[float, int]] = []
    events: list[tuple[float, int, int, float]] = [(at, 0, space, 0.0) for at, space in arrivals]
    events.sort()
    while events:
        now, kind, space, began = heappop(events)
        if kind == 0:
            waiting.append((now, space))
        elif kind == 1:
            turns.end(SpaceNumber(space), began)
            writers = max(REGULAR, turns.flights) if turns.flights < writers else writers
        while turns.flights < writers:
            free = next((each for each in waiting if turns.may_begin(SpaceNumber(each[1]), JOIN)), None)
            if free is None:
                break
            waiting.remove(free)
            turns.begin(SpaceNumber(free[1]), now)
            if free[1] >= hanging:
                waited.append(now - free[0])
                heappush(events, (now + COMMIT, 1, free[1], now))
        if any(not turns.in_flight(SpaceNumber(each)) for _, each in waiting) and turns.flights >= writers:
            due = turns.spare_due(writers, now)
            if due == 0:
                writers += 1
                heappush(events, (now, 2, 0, 0.0))
            elif due is not None:
                heappush(events, (now + due, 2, 0, 0.0))
    assert not any(space >= hanging for _, space in waiting)
    return waited


@given(
    st.integers(0, MOST // SHARE - 1),
    st.lists(st.tuples(st.integers(0, 300).map(lambda ms: ms / 1000), st.integers(0, 9)), max_size=60),
)
def test_a_space_whose_commits_hang_delays_no_other(hanging: int, arrivals: list[tuple[float, int]]) -> None:
    """A healthy request waits for commits that end, and once for the patience with each that does not."""
    most = PATIENCE * (SHARE * hanging + 1) + COMMIT * len(arrivals)
    assert all(waited <= most for waited in delays(hanging, sorted(arrivals)))


def test_a_space_that_hangs_holds_no_more_than_its_share() -> None:
    """However much of it waits."""
    turns = Turns()
    for nr in range(SHARE):
        assert turns.may_begin(SpaceNumber(1), JOIN)
        turns.begin(SpaceNumber(1), float(nr))
    assert not turns.may_begin(SpaceNumber(1), 10 * JOIN)
    assert turns.may_begin(SpaceNumber(2), 1)


def test_a_second_batch_of_a_space_waits_for_enough_calls() -> None:
    """One batch of them costs less than two."""
    turns = Turns()
    turns.begin(SpaceNumber(1), 0.0)
    assert not turns.may_begin(SpaceNumber(1), JOIN - 1)
    assert turns.may_begin(SpaceNumber(1), JOIN)


def test_a_spare_writer_is_due_once_every_commit_lasts() -> None:
    """A quick commit among them frees its writer sooner; and there are not more than `MOST`."""
    turns = Turns()
    turns.begin(SpaceNumber(1), -1.0)
    turns.begin(SpaceNumber(2), 0.0)
    assert turns.spare_due(2, 0.0) == PATIENCE
    assert turns.spare_due(2, PATIENCE) == 0
    assert turns.spare_due(MOST, 9.0) is None
