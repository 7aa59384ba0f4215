"""How the queue is shared out, for any mix of spaces and requests."""

from hypothesis import given
from hypothesis import strategies as st

from identity.operations.ingest.admission import BYTES_OF_A_CALL, has_room, weight

BOUND = 1_000
REQUESTS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 40)), max_size=300)


def fill(requests: list[tuple[int, int]]) -> dict[int, int]:
    """What waits of each space when nobody takes anything out."""
    held: dict[int, int] = {}
    for space, size in requests:
        if has_room(size, own=held.get(space, 0), waiting=sum(held.values()), bound=BOUND):
            held[space] = held.get(space, 0) + size
    return held


@given(REQUESTS)
def test_never_more_than_the_bound(requests: list[tuple[int, int]]) -> None:
    """Whatever is sent, the queue holds no more than it may, but for one request that is let in last."""
    assert sum(fill(requests).values()) < BOUND + max((size for _, size in requests), default=1)


@given(REQUESTS, st.integers(1, 2 * BOUND))
def test_there_is_room_for_a_newcomer(requests: list[tuple[int, int]], size: int) -> None:
    """However the others storm, one who has nothing waiting is let in, with a large request too."""
    storm = requests + [(space, 1) for space in range(5) for _ in range(BOUND)]
    held = fill(storm)
    assert has_room(size, own=0, waiting=sum(held.values()), bound=BOUND)


@given(st.integers(1, BOUND), st.integers(0, BOUND), st.integers(0, BOUND))
def test_a_full_queue_takes_nobody(size: int, own: int, over: int) -> None:
    """At the bound and beyond it, neither a newcomer nor anyone else is let in."""
    assert not has_room(size, own=own, waiting=BOUND + over, bound=BOUND)


def test_a_storm_alone_has_half() -> None:
    """One space fills half, and two a third each; a request that is larger than all still goes alone."""
    assert fill([(1, 1)] * 2_000) == {1: BOUND // 2}
    both = fill([(1, 1), (2, 1)] * 2_000)
    assert all(BOUND // 3 - 5 <= each <= BOUND // 3 + 5 for each in both.values())
    assert has_room(2 * BOUND, own=0, waiting=0, bound=BOUND)


@given(st.integers(0, 2_500), st.integers(0, 512_000))
def test_large_calls_weigh_more(calls: int, size: int) -> None:
    """Never less than the calls, never less than the bytes."""
    weighed = weight(calls, size)
    assert weighed >= calls
    assert weighed * BYTES_OF_A_CALL >= size
    assert weighed == calls or (weighed - 1) * BYTES_OF_A_CALL < size
