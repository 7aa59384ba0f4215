"""Looks up the hosts of callbacks, so that the names of one space hold up no other space.

A space has few lookups at once, and a place is taken until the system gives up, also where the caller went away
before. A host that could not be looked up is not looked up again for half a minute.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from weakref import WeakValueDictionary

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks up the addresses of a host (and port), as text. OSError."""

RESOLVERS: Final = 8
"""The threads of all lookups."""
OF_A_SPACE: Final = 2
"""The lookups of one space at once."""
REMEMBERED: Final = 30.0
"""So many seconds a host that could not be looked up is taken for unknown."""
_MOST_REMEMBERED: Final = 1_000


class HostLookups:
    """The lookups in flight of each space, and the hosts that failed lately."""

    def __init__(self, resolve: Resolve, now: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._now = now
        self._places: WeakValueDictionary[bytes, asyncio.Semaphore] = WeakValueDictionary()
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._looking: set[asyncio.Future[Sequence[str]]] = set()

    async def addresses(self, host: str, port: int, space: bytes) -> Sequence[str]:
        """The addresses of a host; none where the host is unknown, or was lately."""
        places = self._places.setdefault(space, asyncio.Semaphore(OF_A_SPACE))
        if self._failed_lately(host):
            return ()
        await places.acquire()
        if self._failed_lately(host):
            places.release()
            return ()
        looking = asyncio.ensure_future(self._resolve(host, port))
        self._looking.add(looking)
        looking.add_done_callback(lambda done: self._end(places, done))
        try:
            found = await asyncio.shield(looking)
        except (OSError, UnicodeError):
            found = ()
        except asyncio.CancelledError:
            self._remember(host)
            raise
        if not found:
            self._remember(host)
        return found

    def close(self) -> None:
        """Wait for no lookup any more."""
        for each in self._looking:
            each.cancel()

    def _end(self, places: asyncio.Semaphore, done: "asyncio.Future[Sequence[str]]") -> None:
        self._looking.discard(done)
        places.release()
        if not done.cancelled():
            # An error after the caller went away is nobody's.
            done.exception()

    def _failed_lately(self, host: str) -> bool:
        return self._failed.get(host, 0.0) > self._now()

    def _remember(self, host: str) -> None:
        self._failed.pop(host, None)
        self._failed[host] = self._now() + REMEMBERED
        if len(self._failed) > _MOST_REMEMBERED:
            self._failed.popitem(last=False)
