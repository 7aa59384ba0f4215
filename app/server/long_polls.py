"""Lets the key of a destination wait for changes once at a time, in this process.

A client that reconnects leaves its former request behind, so the newest one waits and the one before it is answered at
once, with an empty page and its cursor. One request of a key reads the feed at a time: those that were ended before
their turn read nothing. Nothing is lost, and no number of requests makes more looks at the feed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class LongPolls:
    """The request of each key that waits for changes."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Event] = {}
        self._reading: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, key: int) -> AsyncIterator[asyncio.Event]:
        """End the wait of the request before, and begin when it is over; a later request of the key sets the event."""
        ended = asyncio.Event()
        before = self._waiting.get(key)
        if before is not None:
            before.set()
        self._waiting[key] = ended
        reading = self._reading.setdefault(key, asyncio.Lock())
        try:
            async with reading:
                yield ended
        finally:
            if self._waiting.get(key) is ended:
                del self._waiting[key]
