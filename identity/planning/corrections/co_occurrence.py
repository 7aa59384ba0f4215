"""Which identifiers a stored call still speaks for, after what people undid since.

A call showed some identifiers to belong together. One that was removed since is not spoken for,
and an unmerge contradicts the call between its two sides, though not within them.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct


class Unmerged(Struct, frozen=True):
    """An unmerge: at which stamp, and which identifiers left."""

    stamp: int
    named: AbstractSet[bytes]


def together(
    kept: Sequence[bytes], stamp: int, linked_at: Mapping[bytes, int], unmerged: Sequence[Unmerged]
) -> list[tuple[bytes, ...]]:
    """The groups that a call at `stamp` shows to belong together, each strongest first.

    `linked_at` are the identifiers that count, with the stamps at which they were linked.
    """
    groups: dict[tuple[bool, ...], list[bytes]] = {}
    later = [act.named for act in unmerged if act.stamp > stamp]
    for key in kept:
        if linked_at.get(key, stamp + 1) <= stamp:
            groups.setdefault(tuple(key in named for named in later), []).append(key)
    return [tuple(group) for group in groups.values()]
