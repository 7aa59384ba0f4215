"""Shares the queue among spaces: a flood of one space leaves room for the others.

A space may hold no more than the free part of the queue (the dynamic thresholds of Choudhury and Hahne, with factor
1): one flooding space fills at most half of the queue, two a third each, and so on. A space without waiting
requests gets one request in while anything is free, however large, or floods would keep large batches out for good;
so the bound is exceeded by less than one request. The weight of a request follows from its calls or, if these are
large, from its bytes, so the bound limits memory too.
"""

from typing import Final

BYTES_OF_A_CALL: Final = 2_048


def weight(calls: int, size: int) -> int:
    """The weight of a request of so many calls and bytes, in calls."""
    return max(calls, -(-size // BYTES_OF_A_CALL))


def has_room(weight: int, *, own: int, waiting: int, bound: int) -> bool:
    """Whether a request may wait. `own` is the part of the `waiting` weight that its space holds."""
    return own + weight <= bound - waiting or (not own and waiting < bound)
