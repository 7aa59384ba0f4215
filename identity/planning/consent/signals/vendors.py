"""Reads sets of vendors as TCF writes them, a bit field or ranges, without expanding them.

A range costs its two ends, whatever its length, so the largest set that fits into a string costs no more
than the string.
"""

from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.bits import Bits
from identity.values.errors import BadSignal

HIGHEST: Final = 65_535
_ENTRY: Final = 17
"""The bits of the shortest range entry."""


class Vendors(Struct, frozen=True):
    """A set of vendor ids, asked with `in`: `bits`, whose lowest bit is vendor `top`, or `ranges`."""

    top: int = 0
    bits: int = 0
    ranges: tuple[tuple[int, int], ...] = ()

    def __contains__(self, vendor: int) -> bool:
        if self.bits and 1 <= vendor <= self.top:
            return bool(self.bits >> (self.top - vendor) & 1)
        return any(first <= vendor <= last for first, last in self.ranges)


def read_vendors(bits: Bits) -> Vendors:
    """A set, written as its highest id, its form and its members. Raises BadSignal."""
    top = bits.take(16)
    if bits.flag():
        return Vendors(top, 0, read_ranges(bits, top))
    return Vendors(top, bits.take(top))


def read_ranges(bits: Bits, top: int = HIGHEST) -> tuple[tuple[int, int], ...]:
    """Ranges that include both ends, in any order. Raises BadSignal if one ends before it starts or beyond `top`."""
    count = bits.take(12)
    if count * _ENTRY > bits.left:
        raise BadSignal
    ranges = []
    for _ in range(count):
        is_range = bits.flag()
        first = bits.take(16)
        last = bits.take(16) if is_range else first
        if not 1 <= first <= last <= top:
            raise BadSignal
        ranges.append((first, last))
    return tuple(ranges)
