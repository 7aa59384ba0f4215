"""Stamps: one order of all writes of a space.

A stamp is `microseconds << SLOT_BITS | writer slot`. Stamps of one clock strictly increase, exceed every
stamp that they must follow, and never reach the end of the lease on the slot. So no two writers ever give
the same stamp, even where wall clocks jump.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final, NewType

from identity.values.errors import Unavailable

Stamp = NewType("Stamp", int)
"""A position in the order of writes."""
Micros = NewType("Micros", int)
"""A time in microseconds since 1970 (UTC), or a span of them."""

SLOT_BITS: Final = 8
"""The low bits of a stamp, which hold the writer slot. Stored stamps depend on this number."""
SLOTS: Final = 1 << SLOT_BITS


def wall_time() -> Micros:
    """The time now, by the clock of this machine."""
    return Micros(time.time_ns() // 1000)


def first_stamp(moment: Micros) -> Stamp:
    """The first stamp of a time in microseconds."""
    return Stamp(moment << SLOT_BITS)


def stamp_time(stamp: Stamp) -> Micros:
    """The time of a stamp."""
    return Micros(stamp >> SLOT_BITS)


class Clock:
    """A hybrid logical clock on one writer slot.

    `until` is the exclusive end of the lease in microseconds; without a lease the clock gives no stamp.
    `wall` returns nanoseconds since 1970.
    """

    __slots__ = ("_last", "_lock", "_until", "_wall", "slot")

    def __init__(self, slot: int, until: Micros = Micros(0), wall: Callable[[], int] = time.time_ns) -> None:
        if not 0 <= slot < SLOTS:
            raise ValueError(f"use a writer slot from 0 to {SLOTS - 1}")
        self.slot = slot
        self._until = until
        self._wall = wall
        self._last = 0
        self._lock = Lock()

    @property
    def until(self) -> Micros:
        """The end of the lease: every stamp has an earlier time."""
        return Micros(self._until)

    @property
    def last(self) -> Micros:
        """The microsecond of the last stamp, 0 before the first."""
        return Micros(self._last)

    @property
    def last_stamp(self) -> Stamp:
        """The last stamp; before the first, one that precedes them all."""
        return Stamp(self._last << SLOT_BITS | self.slot)

    def extend(self, until: Micros) -> None:
        """Move the end of the lease, once the new one is committed; never backwards."""
        with self._lock:
            self._until = max(self._until, until)

    def now(self) -> Micros:
        """The wall clock in microseconds since 1970; it may go back, stamps do not."""
        return Micros(self._wall() // 1000)

    def next(self, after: Stamp = Stamp(0)) -> Stamp:
        """A stamp greater than `after` and than every earlier stamp of this clock.

        Raises Unavailable where the stamp is not before the end of the lease, since another writer may own the
        slot by then. After the clock of a neighbour jumped forward, extend the lease past `after`.
        """
        with self._lock:
            micros = max(self._wall() // 1000, self._last + 1, after >> SLOT_BITS)
            if (micros << SLOT_BITS | self.slot) <= after:
                micros += 1
            if micros >= self._until:
                raise Unavailable("The lease of this writer has expired; try again shortly.")
            self._last = micros
            return Stamp(micros << SLOT_BITS | self.slot)
