"""How the queue is shared out: whoever storms fills his share, and there is always room for another.

A space may hold no more than what is still free (the dynamic thresholds of Choudhury and Hahne,
with factor 1): alone it may fill half of the queue, two that storm a third each, and so on. A
space of which nothing waits gets one request in while anything is free, however large, or the
storms of many would keep large batches out for good: the bound is passed by less than that one
request. What a request weighs follows from its calls or, where those are large, from its bytes,
so that a full queue is a bound on memory too.
"""

from typing import Final

BYTES_OF_A_CALL: Final = 2_048


def weight(calls: int, size: int) -> int:
    """What a request of so many calls and bytes weighs, in calls."""
    return max(calls, -(-size // BYTES_OF_A_CALL))


def has_room(weight: int, *, own: int, waiting: int, bound: int) -> bool:
    """Whether a request may wait, where its space has `own` of all the `waiting` weight."""
    return own + weight <= bound - waiting or (not own and waiting < bound)
