"""Folds the traits of a group from the group calls that vouch for them.

The document of a group holds the newest value of each trait and not whose call set it; the stamp of the value is the
stamp of that call. So the stamps of a person's calls show what the person vouches for, and the calls of all others
give the document without the person.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct

from identity.planning.resolution.fold_documents import merge_traits
from identity.values.documents import Document
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp


class GroupCall(Struct, frozen=True):
    """A stored call at an origin that joins a group; `traits` are those that it gives the group.

    With `deletes` the call takes the profile out of a group that was deleted: earlier calls of the profile vouch for
    nothing.
    """

    group_key: bytes
    origin: ProfileId
    group_id: str
    time: Micros
    stamp: Stamp
    traits: Mapping[str, Any] = {}
    deletes: bool = False


def fold_group(calls: Iterable[GroupCall], roots: Mapping[ProfileId, ProfileId]) -> Document | None:
    """The document of a group from its calls; None where no call vouches for the group.

    `roots` maps an origin to the root of its profile.
    """
    document = None
    ordered = sorted(calls, key=lambda each: each.stamp)
    until = {roots.get(call.origin, call.origin): call.stamp for call in ordered if call.deletes}
    for call in ordered:
        if not call.deletes and call.stamp > until.get(roots.get(call.origin, call.origin), 0):
            document = document or Document()
            merge_traits(document, call.traits, call.time, call.stamp)
    return document


def has_traits_of(document: Document, stamps: Collection[int]) -> bool:
    """Whether a trait of a group has its value, or its deletion, from one of these calls."""
    return any(stamp in stamps for _, _, stamp in document.traits.values())
