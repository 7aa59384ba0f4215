"""Rate limits: how many requests a key and a space may make in a second; beyond that the answer is 429.

Nothing is counted by content of the request. Requests and calls are counted before the work is done, for the key and
for all keys of the space together, which have twice the limit of one key. Look-ups that found nobody are counted
afterwards, for the key alone; look-ups of many are charged before as well (`guess_budget`). Messages that claim to come
from a destination count for that destination. Each worker process has its share of the configured rate.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.server.guess_budget import GuessBudget, NoRoom
from app.settings import Settings
from identity.operations.spaces.manage_spaces import Caller
from identity.values.errors import RateLimited, TooMuch

CALLS_PER_REQUEST: Final = 20
KEYS_OF_A_SPACE: Final = 2
LOCKOUT_FACTOR: Final = 10
"""A key with this many times the allowed look-ups of unknown people counts as guessing: its reads are refused."""


class TooManyMisses(RateLimited):
    """The key looked up too many unknown people; known people are still answered. Try again in a second."""


_SHUT_OUT: Final = (
    f"The key looked up {LOCKOUT_FACTOR} times as many unknown people as it may, so all its reads are refused, those "
    "of known people too. Wait a second, and look up fewer unknown people in a second."
)
_NO_ROOM: Final = (
    "Too many look-ups of this key are in flight, or found nobody. Try again in a second, with fewer requests at once."
)
_TOO_MANY: Final = (
    "None of the {:,} identifiers is known, and the key may look up {:,} unknown people in a second: a repetition "
    "would be refused again. Ask for at most {:,} identifiers at once."
)


class RateLimits:
    """The limits of one process. A rate of 0 means no limit."""

    def __init__(self, settings: Settings) -> None:
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        workers = settings.workers
        self._collect = _Rate(self._windows, "collect", settings.collect_rate, workers)
        self._calls = _Rate(self._windows, "calls", settings.collect_rate * CALLS_PER_REQUEST, workers)
        self._read = _Rate(self._windows, "read", settings.read_rate, workers)
        self._misses = _Rate(self._windows, "miss", settings.miss_rate, workers)
        self._guesses = GuessBudget(_share(settings.miss_rate * LOCKOUT_FACTOR, workers))
        self._callbacks = _per_second(settings.read_rate, workers)

    def collect(self, caller: Caller) -> None:
        """Count one collection request. RateLimited."""
        self._collect.take(caller, 1)

    def calls(self, caller: Caller, calls: int) -> None:
        """Count the calls of a batch. RateLimited."""
        self._calls.take(caller, calls)

    def read(self, caller: Caller) -> None:
        """Count one request to a route that takes a key of a space and collects no calls.

        RateLimited; TooManyMisses for a key that guesses. A key that guesses is refused before the look-up: its
        refusals do not show which guess was right.
        """
        self._read.take(caller, 1)
        if self._guesses.used_up(caller.key_number):
            raise TooManyMisses(_SHUT_OUT)

    def callback(self, destination_id: str) -> None:
        """Count one message that claims to come from an existing destination. RateLimited."""
        if self._callbacks is not None and not self._windows.hit(self._callbacks, "callback", destination_id):
            raise RateLimited

    @asynccontextmanager
    async def looking_up(self, caller: Caller, lookups: int) -> AsyncIterator[None]:
        """Charge the look-ups of one request while they are done; `require_found` comes within. TooManyMisses."""
        try:
            async with self._guesses.looking_up(caller.key_number, lookups):
                yield
        except NoRoom:
            raise TooManyMisses(_NO_ROOM) from None

    def require_found(self, caller: Caller, found: Collection[object | None]) -> None:
        """Count the people of a look-up that nobody knows. TooManyMisses, TooMuch where nobody at all was found.

        TooMuch is the answer to a look-up that is larger than the limit: no repetition of it could pass.
        """
        misses = sum(each is None for each in found)
        if not self.missed(caller, misses) or misses < len(found):
            return
        most = self._misses.most
        raise TooMuch(_TOO_MANY.format(misses, most, most)) if misses > most else TooManyMisses()

    def missed(self, caller: Caller, lookups: int = 1) -> bool:
        """Count look-ups that found no profile or group; whether the key has had more of them than it may have.

        The caller refuses a request that found nothing then; known people are answered all the same.
        """
        self._guesses.count(caller.key_number, lookups)
        return self._misses.count(caller, lookups)


class _Rate:
    """One rate for each key, and a higher one for each space."""

    def __init__(self, windows: FixedWindowRateLimiter, name: str, rate: int, workers: int) -> None:
        self._windows = windows
        self._name = name
        self._key = _per_second(rate, workers)
        self._space = _per_second(rate * KEYS_OF_A_SPACE, workers)

    def take(self, caller: Caller, cost: int) -> None:
        for item, name in ((self._key, f"{caller.key_number}"), (self._space, f"s{caller.space_id}")):
            # A request that is larger than the whole window is admitted when the window is empty.
            if item is not None and not self._windows.hit(item, self._name, name, cost=min(cost, item.amount)):
                raise RateLimited

    def count(self, caller: Caller, cost: int) -> bool:
        """Count what was done anyway; whether that is more than the limit."""
        if self._key is None or not cost:
            return False
        return not self._windows.hit(self._key, self._name, f"{caller.key_number}", cost=cost)

    @property
    def most(self) -> int:
        """The limit of one key in this process; 0 without a limit."""
        return 0 if self._key is None else int(self._key.amount)


def _per_second(rate: int, workers: int) -> RateLimitItem | None:
    share = _share(rate, workers)
    return RateLimitItemPerSecond(share) if share else None


def _share(rate: int, workers: int) -> int:
    """The share of one process, at least 1; 0 without a limit."""
    return -(-rate // workers)
