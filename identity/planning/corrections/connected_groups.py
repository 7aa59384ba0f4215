"""Groups the identifiers a stored call still connects after later removals and unmerges.

A later removal disconnects its identifier. A later unmerge contradicts the call between its two sides, but not within
a side.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from identity.values.ids import BlindIndex
from identity.values.stamps import Stamp


class Unmerged(Struct, frozen=True):
    """An unmerge: its stamp and the identifiers it moved out."""

    stamp: Stamp
    named: AbstractSet[BlindIndex]


def connected_groups(
    kept: Sequence[BlindIndex], stamp: Stamp, linked_at: Mapping[BlindIndex, Stamp], unmerged: Sequence[Unmerged]
) -> list[tuple[BlindIndex, ...]]:
    """The groups of identifiers a call at `stamp` still connects, each with its strongest identifier first.

    `linked_at` maps the linked identifiers to the stamps of their links.
    """
    groups: dict[tuple[bool, ...], list[BlindIndex]] = {}
    later = [act.named for act in unmerged if act.stamp > stamp]
    for key in kept:
        if linked_at.get(key, stamp + 1) <= stamp:
            groups.setdefault(tuple(key in named for named in later), []).append(key)
    return [tuple(group) for group in groups.values()]
