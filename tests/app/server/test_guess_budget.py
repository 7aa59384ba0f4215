"""Look-ups of unknown people are bounded before they are done, however many requests run at once."""

import asyncio

import pytest

from app.server import guess_budget
from app.server.guess_budget import GuessBudget, NoRoom

KEY = 1


class Lookup:
    """One request of a key that looks people up; its end says how many were unknown."""

    def __init__(self, budget: GuessBudget, lookups: int, key: int = KEY) -> None:
        self._running = False
        self._misses: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(budget, lookups, key))

    def is_running(self) -> bool:
        """Whether the request was admitted."""
        return self._running

    async def end(self, misses: int) -> None:
        """End the request."""
        self._misses.set_result(misses)
        await self._task

    async def refused(self) -> None:
        """Wait for the refusal."""
        with pytest.raises(NoRoom):
            await self._task

    async def _run(self, budget: GuessBudget, lookups: int, key: int) -> None:
        async with budget.looking_up(key, lookups):
            self._running = True
            budget.count(key, await self._misses)


async def _pause() -> None:
    await asyncio.sleep(4 * guess_budget._LOOK)


async def test_lookups_in_flight_count_until_they_found_somebody() -> None:
    """A request waits for those before it; another key does not."""
    budget = GuessBudget(10, lambda: 5.0)
    first = Lookup(budget, 8)
    await _pause()
    second, other = Lookup(budget, 8), Lookup(budget, 8, key=2)
    await _pause()

    assert (first.is_running(), second.is_running(), other.is_running()) == (True, False, True)
    await first.end(misses=0)
    await _pause()
    assert second.is_running()
    await second.end(misses=10)
    await other.end(misses=0)
    assert budget.used_up(KEY)
    assert not budget.used_up(2)


async def test_misses_leave_no_room_until_the_next_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that waits in vain is refused."""
    now = [5.0]
    budget = GuessBudget(10, lambda: now[0])
    first = Lookup(budget, 8)
    await _pause()
    await first.end(misses=8)
    waiting = Lookup(budget, 8)
    await _pause()
    assert not waiting.is_running()
    now[0] += 1
    await _pause()
    assert waiting.is_running()
    monkeypatch.setattr(guess_budget, "PATIENCE", 0.05)
    await Lookup(budget, 8).refused()
    await waiting.end(misses=0)


async def test_a_request_larger_than_the_budget_is_admitted_alone() -> None:
    """Nobody is refused for ever; with a budget of 0 nothing is bounded."""
    budget, unbounded = GuessBudget(10, lambda: 5.0), GuessBudget(0)
    large, beside = Lookup(budget, 1_000), Lookup(budget, 1)
    free = [Lookup(unbounded, 1_000) for _ in range(5)]
    await _pause()

    assert large.is_running()
    assert not beside.is_running()
    assert all(each.is_running() for each in free)
    await large.end(misses=0)
    await beside.end(misses=0)
    for each in free:
        await each.end(misses=1_000)
    assert not unbounded.used_up(KEY)
