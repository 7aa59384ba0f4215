"""Plans the removal of one identifier from a profile.

The data of the identifier and the merges made through it stay; only the identifier is forgotten. Cuts are
permanent, so the sides that an unmerge separated stay separate if the identifier comes back.
"""

from collections.abc import Callable

from msgspec import Struct, structs

from identity.planning.corrections.profile_snapshot import ProfileSnapshot, SnapshotIdentifier
from identity.planning.resolution.counters import copy_of, detach, uncut
from identity.planning.resolution.plan import FeedChange, HistoryNote
from identity.planning.resolution.planner_state import Profile
from identity.values.enums import FeedOperation, HistoryKind
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp


class Removal(Struct):
    """The changes of a removal; `profiles` are the origin of the identifier and the root after the removal."""

    stamp: Stamp
    link: SnapshotIdentifier
    profiles: dict[ProfileId, Profile]
    root: Profile
    note: HistoryNote
    change: FeedChange


def plan_removal(snapshot: ProfileSnapshot, key: BlindIndex, stamps: Callable[[Stamp], Stamp]) -> Removal:
    """Plan the removal of an identifier that is not the last one of its profile."""
    link = snapshot.links[key]
    stamp = stamps(max(snapshot.lock_stamp, *(profile.stamp for profile in snapshot.profiles.values())))
    origin = _with_own_counters(snapshot.profiles[link.origin])
    root = origin if origin.root == origin.id else _with_own_counters(snapshot.profiles[origin.root])
    if not link.retired:
        detach(origin.own, key, link.type)
        detach(root.folded, key, link.type)
    uncut(root.folded, snapshot.cuts.get(key, ()))
    root.version += 1
    origin.stamp = root.stamp = stamp
    return Removal(
        stamp=stamp,
        link=link,
        profiles={origin.id: origin, root.id: root},
        root=root,
        note=HistoryNote(origin=origin.id, stamp=stamp, kind=HistoryKind.IDENTIFIER_REMOVED, keys=[key]),
        change=FeedChange(op=FeedOperation.UPSERT, profile=root.canonical, version=root.version, stamp=stamp),
    )


def _with_own_counters(profile: Profile) -> Profile:
    """A copy of a profile with counters of its own, safe to change."""
    return structs.replace(profile, own=copy_of(profile.own), folded=copy_of(profile.folded))
