"""Folds the traits of a group from the group calls that vouch for them.

The document of a group holds the newest value of each trait and not whose call set it; the stamp of the value is the
stamp of that call. So the stamps of a person's calls show what the person vouches for, and the calls of all others
give the document without the person.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct

from identity.planning.resolution.document import merge_traits
from identity.values.documents import Document


class GroupCall(Struct, frozen=True):
    """A stored call that joins a group; `traits` are those that it gives the group."""

    group_key: bytes
    name: str
    time: int
    stamp: int
    traits: Mapping[str, Any]


def fold_group(calls: Iterable[GroupCall], until: int = 0) -> Document | None:
    """The document of a group from its calls after a stamp; None where no call vouches for the group."""
    document = None
    for call in sorted(calls, key=lambda each: each.stamp):
        if call.stamp > until:
            document = document or Document()
            merge_traits(document, call.traits, call.time, call.stamp)
    return document


def has_traits_of(document: Document, stamps: Collection[int]) -> bool:
    """Whether a trait of a group has its value, or its deletion, from one of these calls."""
    return any(stamp in stamps for _, _, stamp in document.traits.values())
