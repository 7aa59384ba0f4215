"""Schedules the next attempt of a failed delivery, with growing waits, until the delivery is given up.

Waits double from five seconds up to six hours. Each is lengthened by chance, by up to half, so deliveries that
failed together do not retry together. Seven days after its first attempt was due, a delivery is given up and
left to an operator.
"""

from typing import Final

from identity.values.calls import DAY, MICRO
from identity.values.stamps import Micros

FIRST_WAIT: Final = 5 * MICRO
LONGEST_WAIT: Final = 6 * 3600 * MICRO
GIVE_UP: Final = 7 * DAY
_LONGEST_BASE_WAIT: Final = LONGEST_WAIT * 2 // 3
_DOUBLINGS: Final = (_LONGEST_BASE_WAIT // FIRST_WAIT).bit_length()


def next_attempt(begun: Micros, failed: int, now: Micros, chance: float) -> Micros | None:
    """The time of the next attempt after `failed` failures (at least one); None: give up.

    `begun` is the time that the first attempt was due, `now` the time of the failure (microseconds); `chance` is
    a new random number from 0 to 1.
    """
    wait = min(FIRST_WAIT << min(failed - 1, _DOUBLINGS), _LONGEST_BASE_WAIT)
    at = Micros(now + wait + int(wait * chance / 2))
    return at if at <= begun + GIVE_UP else None
