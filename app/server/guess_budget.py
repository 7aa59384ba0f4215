"""Bounds the look-ups of one key that find nobody, also those of many requests at once.

Look-ups are charged before they are done, and those that found somebody are given back. So no number of simultaneous
requests looks up more unknown people than the bound allows. A request that finds no room waits a short time for
those in flight: their people are known as a rule. The window is one second.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

PATIENCE: Final = 2.0
"""So many seconds a request waits for room."""
_WINDOW: Final = 1.0
_LOOK: Final = 0.02


class NoRoom(Exception):
    """The key has too many look-ups in flight, or looked up too many unknown people."""


class GuessBudget:
    """The look-ups of each key in this second; with a budget of 0 nothing is bounded."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._ends = 0.0
        self._missed: dict[int, int] = {}
        self._in_flight: dict[int, int] = {}
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def looking_up(self, key: int, lookups: int) -> AsyncIterator[None]:
        """Charge look-ups while they are done; `count` those that found nobody before the end. NoRoom.

        A request that is larger than the whole budget is admitted when the budget is untouched.
        """
        if not self._most:
            yield
            return
        turn = self._turns.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE), turn:
                while not self._has_room(key, lookups):  # noqa: ASYNC110 (no event ends the window)
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise NoRoom from None
        self._in_flight[key] = self._in_flight.get(key, 0) + lookups
        try:
            yield
        finally:
            self._in_flight[key] -= lookups
            if not self._in_flight[key]:
                del self._in_flight[key]

    def count(self, key: int, misses: int) -> None:
        """Count look-ups that found nobody."""
        self._turn_window()
        if self._most and misses:
            self._missed[key] = self._missed.get(key, 0) + misses

    def used_up(self, key: int) -> bool:
        """Whether a key looked up as many unknown people in this second as it may."""
        self._turn_window()
        return bool(self._most) and self._missed.get(key, 0) >= self._most

    def _has_room(self, key: int, lookups: int) -> bool:
        self._turn_window()
        taken = self._missed.get(key, 0) + self._in_flight.get(key, 0)
        return not taken or taken + lookups <= self._most

    def _turn_window(self) -> None:
        now = self._now()
        if now >= self._ends:
            self._ends = now + _WINDOW
            self._missed.clear()
