"""Lets the key of a destination wait for changes once at a time, in this process.

A client that reconnects leaves its former request behind, so the newest one waits and the one before it is answered at
once, with an empty page and its cursor. Nothing is lost, and no number of requests makes more looks at the feed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class LongPolls:
    """The request of each key that waits for changes."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Event] = {}

    @contextmanager
    def turn(self, key: int) -> Iterator[asyncio.Event]:
        """End the wait of the request before; the event is set when a later request of the key waits."""
        ended = asyncio.Event()
        before = self._waiting.get(key)
        if before is not None:
            before.set()
        self._waiting[key] = ended
        try:
            yield ended
        finally:
            if self._waiting.get(key) is ended:
                del self._waiting[key]
