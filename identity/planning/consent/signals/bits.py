"""Reads the bits of base64url text once, from left to right, never past the end.

Each character holds six bits; no other character is allowed, not even padding. A read costs the same at any
place and takes at least one bit, so a string never costs more reads than it has bits.
"""

import base64
import re
from typing import Final

from identity.values.errors import BadSignal

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_LETTERS: Final = 26
_LONGEST_CODE: Final = 24


class Bits:
    """The bits of `text`. Raises BadSignal unless `text` is base64url without padding.

    `size` counts all bits, `at` the bits taken so far.
    """

    __slots__ = ("_bytes", "at", "size")

    def __init__(self, text: str) -> None:
        if not _BASE64URL.fullmatch(text):
            raise BadSignal
        self._bytes = base64.urlsafe_b64decode(text + "A" * (-len(text) % 4))
        self.size = 6 * len(text)
        self.at = 0

    @property
    def left(self) -> int:
        """The number of bits not taken yet."""
        return self.size - self.at

    def take(self, count: int) -> int:
        """The next `count` bits as a number. Raises BadSignal if there are fewer."""
        end = self.at + count
        if end > self.size:
            raise BadSignal
        last = (end + 7) >> 3
        value = int.from_bytes(self._bytes[self.at >> 3 : last], "big") >> (last * 8 - end)
        self.at = end
        return value & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.take(1) == 1

    def ids(self, count: int) -> frozenset[int]:
        """The positions of the set bits among the next `count`, counted from 1."""
        return frozenset(id_ for id_, bit in enumerate(f"{self.take(count):0{count}b}", 1) if bit == "1")

    def letters(self) -> str:
        """The next two letters, six bits each. Raises BadSignal if they are not letters."""
        first, second = self.take(6), self.take(6)
        if first >= _LETTERS or second >= _LETTERS:
            raise BadSignal
        return chr(65 + first) + chr(65 + second)

    def fibonacci(self) -> int:
        """The next number in Fibonacci coding, at most 24 bits long. Raises BadSignal for a longer code."""
        total, weight, following, before = 0, 1, 2, False
        for _ in range(_LONGEST_CODE):
            bit = self.flag()
            if bit and before:
                return total
            if bit:
                total += weight
            weight, following, before = following, weight + following, bit
        raise BadSignal

    def finish(self) -> None:
        """Take the rest as padding. Raises BadSignal if any bit of the padding is set."""
        if self.take(self.left):
            raise BadSignal
