"""Rebuilds the joins of one side of an unmerge from the joins of the whole profile (docs/merging-rules.md §5.2).

The old joins are replayed in the order of their stamps. Two origins of a side keep the stamp at which their
groups were joined, even if the identifiers that joined the groups went to the other side.
"""

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter

from msgspec import Struct

from identity.planning.resolution.planner_state import Profile
from identity.values.ids import ProfileId
from identity.values.stamps import Stamp


class Joins(Struct):
    """The root of a side, and for each other origin the origin it joined and the stamp of the join."""

    root: ProfileId
    joined: dict[ProfileId, tuple[ProfileId, Stamp]]


class _Group(Struct):
    """Joined origins of a side: their root, their number and the creation stamp of the oldest."""

    root: ProfileId
    origins: int
    oldest_birth: Stamp


def side_joins(
    profiles: Mapping[ProfileId, Profile], there: Mapping[ProfileId, ProfileId], births: Mapping[ProfileId, Stamp]
) -> Joins:
    """The joins of a side; `there` maps an old origin to its successor on this side.

    `births` are the creation stamps of the successors. In each join the group with fewer origins joins the other group,
    as in a merge.
    """
    parent: dict[ProfileId, ProfileId] = {}
    groups = {old: _Group(new, 1, births[new]) for old, new in there.items()}
    joined: dict[ProfileId, tuple[ProfileId, Stamp]] = {}

    def find(origin: ProfileId) -> ProfileId:
        while parent.get(origin, origin) != origin:
            parent[origin] = parent.get(parent[origin], parent[origin])
            origin = parent[origin]
        return origin

    joins = sorted(
        (p.joined_at, p.id, p.joined_to) for p in profiles.values() if p.joined_at is not None and p.joined_to
    )
    for stamp, met in groupby(joins, key=itemgetter(0)):
        roots = list(dict.fromkeys(find(id_) for _, loser, winner in met for id_ in (winner, loser)))
        present = [groups.pop(root) for root in roots if root in groups]
        for other in roots[1:]:
            parent[other] = roots[0]
        if not present:
            continue
        winner = min(present, key=lambda group: (-group.origins, group.oldest_birth))
        for loser in present:
            if loser is not winner:
                joined[loser.root] = (winner.root, stamp)
                winner.origins += loser.origins
                winner.oldest_birth = min(winner.oldest_birth, loser.oldest_birth)
        groups[roots[0]] = winner
    (last,) = groups.values()
    return Joins(last.root, joined)
