"""How much a key and a space may ask of this process in a second; beyond it the answer is 429.

Counted before the work is done, by the number of the key, never by anything a request holds. A
space may use twice what one of its keys may. Each worker has its share of what is set.
"""

from typing import Final

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.settings import Settings
from identity.operations.spaces.manage_spaces import Caller
from identity.values.errors import RateLimited

CALLS_PER_REQUEST: Final = 20
OF_A_SPACE: Final = 2


class Limits:
    """The limits of one process. A rate of 0 is none."""

    def __init__(self, settings: Settings) -> None:
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        workers = settings.workers
        self._collect = _Rate(self._windows, "collect", settings.collect_rate, workers)
        self._calls = _Rate(self._windows, "calls", settings.collect_rate * CALLS_PER_REQUEST, workers)
        self._read = _Rate(self._windows, "read", settings.read_rate, workers)
        self._misses = _Rate(self._windows, "miss", settings.miss_rate, workers)
        self._callbacks = _per_second(settings.read_rate, workers)

    def collect(self, caller: Caller) -> None:
        """One request to collect. RateLimited."""
        self._collect.take(caller, 1)

    def calls(self, caller: Caller, calls: int) -> None:
        """So many calls. RateLimited."""
        self._calls.take(caller, calls)

    def read(self, caller: Caller) -> None:
        """One request to anything else. RateLimited, also for one who has just guessed too often.

        Such a one is refused before the look-up, or the refusal would tell whether the guess was right.
        """
        self._read.take(caller, 1)
        if self._misses.used_up(caller):
            raise RateLimited

    def callback(self, destination_id: str) -> None:
        """One message that says it is of a destination, which is one that there is. RateLimited."""
        if self._callbacks is not None and not self._windows.hit(self._callbacks, "callback", destination_id):
            raise RateLimited

    def missed(self, caller: Caller, lookups: int = 1) -> None:
        """So many look-ups found nobody."""
        self._misses.count(caller, lookups)


class _Rate:
    """So many a second for each key, and more for each space."""

    def __init__(self, windows: FixedWindowRateLimiter, name: str, rate: int, workers: int) -> None:
        self._windows = windows
        self._name = name
        self._key = _per_second(rate, workers)
        self._space = _per_second(rate * OF_A_SPACE, workers)

    def take(self, caller: Caller, cost: int) -> None:
        for item, name in ((self._key, f"{caller.key}"), (self._space, f"s{caller.space_id}")):
            # What is larger than the whole window has to fit into an empty one.
            if item is not None and not self._windows.hit(item, self._name, name, cost=min(cost, item.amount)):
                raise RateLimited

    def count(self, caller: Caller, cost: int) -> None:
        if self._key is not None and cost:
            self._windows.hit(self._key, self._name, f"{caller.key}", cost=cost)

    def used_up(self, caller: Caller) -> bool:
        return self._key is not None and not self._windows.test(self._key, self._name, f"{caller.key}")


def _per_second(rate: int, workers: int) -> RateLimitItem | None:
    return RateLimitItemPerSecond(max(1, -(-rate // workers))) if rate else None
