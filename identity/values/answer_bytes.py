"""Bounds the bytes of an answer: a page that would have more ends early, and its cursor leads to the rest."""

from typing import Final

import msgspec

MOST_BYTES: Final = 32 * 1024 * 1024
"""About as many bytes as an answer has at most; the shapes of answers add names of fields to the values."""
_encode = msgspec.json.Encoder().encode


class PageBytes:
    """The room that is left in a page."""

    def __init__(self) -> None:
        self._left: int | None = None

    def takes(self, item: object) -> bool:
        """Whether one more item fits, which then has its room; the first one always does, so each page leads on."""
        if self._left is None:
            self._left = MOST_BYTES - len(_encode(item))
            return True
        left = self._left - len(_encode(item))
        if left < 0:
            return False
        self._left = left
        return True
