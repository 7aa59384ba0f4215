"""Stamps: the one order of everything that is written.

A stamp is `microseconds << 8 | writer slot`. Stamps of one clock strictly increase, exceed
whatever stamp they are asked to follow, and never reach the end of the lease on the slot, so no
two writers ever give the same one, whatever the wall clocks do.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from identity.values.errors import Unavailable

SLOT_BITS: Final = 8
SLOTS: Final = 1 << SLOT_BITS


def stamp_time(stamp: int) -> int:
    """The microseconds since 1970 that a stamp was taken at."""
    return stamp >> SLOT_BITS


def stamp_slot(stamp: int) -> int:
    """The writer slot that gave a stamp, 0 to 255."""
    return stamp & (SLOTS - 1)


class Clock:
    """A hybrid logical clock on one writer slot.

    `until` bounds the lease (microseconds, exclusive): without one, no stamp is given. `wall`
    answers nanoseconds since 1970.
    """

    __slots__ = ("_last", "_lock", "_until", "_wall", "slot")

    def __init__(self, slot: int, until: int = 0, wall: Callable[[], int] = time.time_ns) -> None:
        if not 0 <= slot < SLOTS:
            raise ValueError("a writer slot is a number from 0 to 255")
        self.slot = slot
        self._until = until
        self._wall = wall
        self._last = 0
        self._lock = Lock()

    @property
    def until(self) -> int:
        """Where the lease ends: every stamp is of an earlier microsecond."""
        return self._until

    @property
    def last(self) -> int:
        """The microsecond of the last stamp given, 0 before the first."""
        return self._last

    def extend(self, until: int) -> None:
        """Move the end of the lease, once the new one is committed; never backwards."""
        with self._lock:
            self._until = max(self._until, until)

    def now(self) -> int:
        """The wall clock in microseconds since 1970; it may go back, stamps do not."""
        return self._wall() // 1000

    def next(self, after: int = 0) -> int:
        """A stamp greater than `after` and than every stamp given before.

        Raises Unavailable when that would lie beyond the lease: another writer may own the slot
        by then. After a jump of a neighbour's clock the lease has to be extended past `after`.
        """
        with self._lock:
            micros = max(self._wall() // 1000, self._last + 1, after >> SLOT_BITS)
            if (micros << SLOT_BITS | self.slot) <= after:
                micros += 1
            if micros >= self._until:
                raise Unavailable("The lease of this writer has run out; try again shortly.")
            self._last = micros
            return micros << SLOT_BITS | self.slot
