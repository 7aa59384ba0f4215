"""Holds the snapshot of a canonical profile: everything at its origins that a correction reads.

A snapshot is taken under the exclusive space lock, so the profile stays unchanged until the correction is done.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from identity.planning.resolution.counters import attach, newest_window, unite
from identity.planning.resolution.planner_state import Counters, Profile, Sighting
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp


class SnapshotIdentifier(Struct):
    """A stored link of an identifier; `linked_at` is a stamp, and the other times are event times."""

    key: BlindIndex
    type: str
    origin: ProfileId
    retired: bool
    linked_at: Stamp
    first_seen: Micros
    last_seen: Micros
    source: int


class Evidence(Struct):
    """A call or act stored at an origin as evidence; `kept` has the strongest identifier first.

    `shown` is the key of the set of identifiers in the call, b"" for an act. `group` is the group that the call joins
    or leaves.
    """

    stamp: Stamp
    kept: list[BlindIndex]
    shown: SetKey
    call: StoredCall
    group: str | None = None


class UserIdRename(Struct, frozen=True):
    """An alias call that renamed the user id `previous` to `to`."""

    stamp: Stamp
    previous: BlindIndex
    to: BlindIndex


class OriginContent(Struct):
    """The content of one origin; `events` are the (stamp, strongest identifier) of its plain calls."""

    evidence: list[Evidence] = []
    events: list[tuple[Stamp, BlindIndex | None]] = []
    sightings: dict[SetKey, Sighting] = {}


class ProfileSnapshot(Struct):
    """A canonical profile: all its origins and identifiers, their cuts, and the renamings of its user ids.

    `contents` holds the content of the origins a correction reads in detail. `lock_stamp` is that of the space lock.
    """

    profiles: dict[ProfileId, Profile]
    links: dict[BlindIndex, SnapshotIdentifier]
    cuts: dict[BlindIndex, list[tuple[bytes, int]]] = {}
    renamings: list[UserIdRename] = []
    contents: dict[ProfileId, OriginContent] = {}
    lock_stamp: Stamp = Stamp(0)


def shown(kept: Iterable[BlindIndex], demoted: Iterable[tuple[BlindIndex, str]]) -> list[BlindIndex]:
    """The identifiers a call connects or claims to connect, without blocked ones, which belong to no person."""
    return [*kept, *(key for key, reason in demoted if reason != "blocked")]


def unproven_links(profiles: Iterable[Profile]) -> set[BlindIndex]:
    """The identifiers of some origins that wait for proof."""
    return {key for profile in profiles for key in profile.own.unproven}


def own_counters(
    links: Mapping[BlindIndex, SnapshotIdentifier],
    profiles: Mapping[ProfileId, Profile],
    unproven: Collection[BlindIndex],
) -> dict[ProfileId, Counters]:
    """The own counters of every origin, from its identifiers; those in `unproven` wait for proof."""
    owns = {id_: Counters(types={}, live=[], origins=profile.own.origins) for id_, profile in profiles.items()}
    for link in links.values():
        if not link.retired:
            attach(owns[link.origin], link.key, link.type, unproven=link.key in unproven)
    return owns


def folded_counters(
    owns: Mapping[ProfileId, Counters],
    links: Mapping[BlindIndex, SnapshotIdentifier],
    cuts: Mapping[BlindIndex, list[tuple[bytes, int]]],
    rules: Rules,
) -> Counters:
    """The counters of a root over these origins: the sum of their own counters, the windows and the cuts."""
    folded = Counters(types={}, live=[], origins=0)
    for own in owns.values():
        unite(folded, own)
    seen: dict[str, dict[BlindIndex, int]] = {type_: {} for type_ in rules.windowed}
    for link in links.values():
        if link.origin not in owns:
            continue
        if link.type in seen and not link.retired:
            seen[link.type][link.key] = link.last_seen
        for cut, side in cuts.get(link.key, ()):
            left, right = folded.cuts.get(cut, (0, 0))
            folded.cuts[cut] = (left + (side == 0), right + (side == 1))
    folded.windows = {type_: newest_window(held, rules.limit(type_).max + 1) for type_, held in seen.items()}
    return folded
