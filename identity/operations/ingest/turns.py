"""Decides when a writer may begin a batch of a space, and when one more writer is due. The clock of the caller counts.

Invariant: a space whose commits hang holds at most `SHARE` writers, and while other spaces wait, another writer
follows as long as there are fewer than `MOST`. So a space that hangs delays no other for longer than `PATIENCE`.
"""

from typing import Final

from identity.values.ids import SpaceNumber

# A second writer joins a space at this many waiting calls: for fewer, one batch costs less than two.
JOIN: Final = 100
SHARE: Final = 2
MOST: Final = 8
PATIENCE: Final = 0.1
"""Seconds after which a commit counts as one that hangs; most take a tenth of that."""


class Turns:
    """The batches in flight: for each space the moments at which they began."""

    def __init__(self) -> None:
        self._began: dict[SpaceNumber, list[float]] = {}

    def begin(self, space: SpaceNumber, now: float) -> None:
        """A writer begins a batch of a space."""
        self._began.setdefault(space, []).append(now)

    def end(self, space: SpaceNumber, began: float) -> None:
        """The batch of a space that began at a moment has ended."""
        self._began[space].remove(began)
        if not self._began[space]:
            del self._began[space]

    @property
    def flights(self) -> int:
        """The number of batches in flight."""
        return sum(map(len, self._began.values()))

    def in_flight(self, space: SpaceNumber) -> bool:
        """Whether a batch of a space is in flight."""
        return space in self._began

    def may_begin(self, space: SpaceNumber, waiting: int) -> bool:
        """Whether a free writer may begin a batch of a space while `waiting` calls wait."""
        own = len(self._began.get(space, ()))
        return not own or (own < SHARE and waiting >= JOIN)

    def spare_due(self, writers: int, now: float) -> float | None:
        """Seconds until one more writer is due for a space that waits without a batch in flight; None: never.

        All `writers` are busy. While any of their commits is quick, that writer is free soon.
        """
        if writers >= MOST:
            return None
        youngest = max((began for each in self._began.values() for began in each), default=now - PATIENCE)
        return max(0.0, youngest + PATIENCE - now)
