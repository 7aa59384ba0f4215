"""When something that failed is tried again: ever less often, never all at once, not for ever.

The waits double from five seconds and end at six hours; each is up to half longer than its turn
asks, by chance, so that what failed together does not come back together. Seven days after it was
first to be sent a delivery is given up, for somebody to look at.
"""

from typing import Final

from identity.values.calls import DAY, MICRO

FIRST_WAIT: Final = 5 * MICRO
LONGEST_WAIT: Final = 6 * 3600 * MICRO
GIVE_UP: Final = 7 * DAY
_LONGEST_TURN: Final = LONGEST_WAIT * 2 // 3
_DOUBLINGS: Final = (_LONGEST_TURN // FIRST_WAIT).bit_length()


def next_attempt(begun: int, failed: int, now: int, chance: float) -> int | None:
    """When to try again what has failed `failed` times (at least once); None: give it up.

    `begun` is when it was first to be sent, `now` when it failed (microseconds), `chance` is drawn
    anew from 0 to 1 each time.
    """
    turn = min(FIRST_WAIT << min(failed - 1, _DOUBLINGS), _LONGEST_TURN)
    at = now + turn + int(turn * chance / 2)
    return at if at <= begun + GIVE_UP else None
