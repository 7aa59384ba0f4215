"""Repeats a transaction of a destination that met another change of the same rows."""

from typing import Final

from identity.spaces.retry import RetryPolicy
from identity.values.errors import Conflict

REPEAT_CONFLICTS: Final = RetryPolicy(attempts=8, jitter=0.0, conflicts=(Conflict,), unavailable=True)
