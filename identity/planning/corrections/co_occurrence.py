"""Groups the identifiers that a stored call still ties together after later removals and unmerges.

A call ties identifiers to one person. A later removal unties its identifier, and a later unmerge contradicts
the call between its two sides, though not within them.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct


class Unmerged(Struct, frozen=True):
    """An unmerge: its stamp, and the identifiers that left."""

    stamp: int
    named: AbstractSet[bytes]


def together(
    kept: Sequence[bytes], stamp: int, linked_at: Mapping[bytes, int], unmerged: Sequence[Unmerged]
) -> list[tuple[bytes, ...]]:
    """The groups of identifiers that a call at `stamp` ties together, each strongest first.

    `linked_at` maps the linked identifiers to the stamps of their links.
    """
    groups: dict[tuple[bool, ...], list[bytes]] = {}
    later = [act.named for act in unmerged if act.stamp > stamp]
    for key in kept:
        if linked_at.get(key, stamp + 1) <= stamp:
            groups.setdefault(tuple(key in named for named in later), []).append(key)
    return [tuple(group) for group in groups.values()]
