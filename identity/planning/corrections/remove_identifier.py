"""Taking one identifier off a profile: the pure half of a removal.

Its data stays where it lies, and so does what was merged through it; only the identifier is
forgotten. Cuts stand for ever, so what was kept apart through it is, should it come back.
"""

from collections.abc import Callable

from msgspec import Struct, structs

from identity.planning.corrections.profile_snapshot import Link, Whole
from identity.planning.resolution.counters import copy_of, detach, uncut
from identity.planning.resolution.plan import Change, Note
from identity.planning.resolution.planner_state import Profile
from identity.values.enums import FeedOperation, HistoryKind


class Removal(Struct):
    """What a removal does; `profiles` are the origin of the identifier and the head, as they are afterwards."""

    stamp: int
    link: Link
    profiles: dict[bytes, Profile]
    head: Profile
    note: Note
    change: Change


def remove(whole: Whole, key: bytes, stamps: Callable[[int], int]) -> Removal:
    """What it takes to remove an identifier that is not the last one of its profile."""
    link = whole.links[key]
    stamp = stamps(max(whole.stamp, *(profile.stamp for profile in whole.profiles.values())))
    origin = _loose(whole.profiles[link.origin])
    head = origin if origin.head == origin.id else _loose(whole.profiles[origin.head])
    if not link.retired:
        detach(origin.own, key, link.type)
        detach(head.folded, key, link.type)
    uncut(head.folded, whole.cuts.get(key, ()))
    head.version += 1
    origin.stamp = head.stamp = stamp
    return Removal(
        stamp,
        link,
        {origin.id: origin, head.id: head},
        head,
        Note(origin.id, stamp, HistoryKind.IDENTIFIER_REMOVED, [key]),
        Change(FeedOperation.UPSERT, head.canonical, head.version, stamp),
    )


def _loose(profile: Profile) -> Profile:
    """A copy whose counters can be changed."""
    return structs.replace(profile, own=copy_of(profile.own), folded=copy_of(profile.folded))
