"""The part of the store that a statement is about: the number of a space and its buckets."""

from collections.abc import Sequence

from msgspec import Struct

from identity.store.postgres.arrays import Int4s, int4s
from identity.values.ids import SpaceNumber

BUCKETS = 65_536


class Tenant(Struct, frozen=True):
    """A space as the store knows it. On one machine `spread` is 1: one bucket holds all rows."""

    id: SpaceNumber
    base: int
    spread: int = 1

    def bucket(self, routing: bytes) -> int:
        """The bucket of a profile id or a blind index; both are random at the end."""
        if self.spread == 1:
            return self.base
        return (self.base + int.from_bytes(routing[-4:], "big") % self.spread) % BUCKETS

    def buckets(self, routing: Sequence[bytes]) -> Int4s:
        """The buckets of many, as an array."""
        if self.spread == 1:
            return int4s([self.base] * len(routing))
        return int4s([self.bucket(value) for value in routing])
