"""Bounds the work of one address for which no key is known.

Reading, inflating and scanning a body take time in proportion to its inflated bytes, so bytes are counted. Only what
has no known key counts: a client with a key is bounded by the limits of the key. The window is one
second, and its counts are dropped with it, so the memory is bounded too.
"""

import time
from collections.abc import Callable
from typing import Final

SMALL_BODY: Final = 16 * 1024
"""A body that is scanned for its key even for an address without room: the scan costs no more than a refusal."""
_WINDOW: Final = 1.0


class AddressBudget:
    """The bytes without a known key of each address in this second; with a budget of 0 nothing is bounded."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._ends = 0.0
        self._spent: dict[str, int] = {}

    def has_room(self, address: str) -> bool:
        """Whether an address may send a body of any size before its key is known."""
        self._turn()
        return not self._most or self._spent.get(address, 0) < self._most

    def charge(self, address: str, size: int) -> None:
        """Count the bytes of a body that has no known key."""
        self._turn()
        self._spent[address] = self._spent.get(address, 0) + size

    def _turn(self) -> None:
        now = self._now()
        if now >= self._ends:
            self._ends = now + _WINDOW
            self._spent.clear()
