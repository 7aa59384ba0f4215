"""Lets the key of a destination wait for changes once at a time, in this process.

A client that reconnects leaves its former request behind, so the newest one waits and the one before it is answered at
once, with an empty page and its cursor. One request of a key reads the feed at a time: those that were ended before
their turn read nothing. Nothing is lost, and no number of requests makes more looks at the feed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from identity.operations.destinations.feed_waker import WaitingReader


class LongPolls:
    """The request of each key that waits for changes."""

    def __init__(self) -> None:
        self._waiting: dict[int, WaitingReader] = {}
        self._reading: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, key: int) -> AsyncIterator[WaitingReader]:
        """End the wait of the request before, and begin when it is over; a later request of the key ends this one."""
        reader = WaitingReader()
        before = self._waiting.get(key)
        if before is not None:
            before.end()
        self._waiting[key] = reader
        reading = self._reading.setdefault(key, asyncio.Lock())
        try:
            async with reading:
                yield reader
        finally:
            if self._waiting.get(key) is reader:
                del self._waiting[key]
