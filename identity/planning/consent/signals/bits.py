"""Bit strings written in base64url: read once, from left to right, never past the end.

Every character is six bits and no other is allowed, not even padding. A read costs the same
wherever it lies, and each takes at least one bit, so no string costs more reads than it has bits.
"""

import base64
import re
from typing import Final

from identity.values.errors import BadSignal

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_LETTERS: Final = 26
_LONGEST_CODE: Final = 24


class Bits:
    """The bits of `text`, which is base64url without padding; BadSignal where it is not.

    `size` is how many there are, `at` how many were taken.
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
        """How many bits were not taken yet."""
        return self.size - self.at

    def take(self, count: int) -> int:
        """The next `count` bits as a number. BadSignal if there are fewer."""
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
        """Which of the next `count` bits are set, counted from 1."""
        return frozenset(id_ for id_, bit in enumerate(f"{self.take(count):0{count}b}", 1) if bit == "1")

    def letters(self) -> str:
        """The next two letters, six bits each. BadSignal if they are none."""
        first, second = self.take(6), self.take(6)
        if first >= _LETTERS or second >= _LETTERS:
            raise BadSignal
        return chr(65 + first) + chr(65 + second)

    def fibonacci(self) -> int:
        """The next number in Fibonacci coding, at most 24 bits long. BadSignal if it does not end."""
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
        """What is left is padding: BadSignal if any bit of it is set."""
        if self.take(self.left):
            raise BadSignal
