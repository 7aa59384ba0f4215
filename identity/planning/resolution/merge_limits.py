"""Checks whether profiles and new identifiers may become one: limits, windows and cuts.

Only a union breaks a limit; the identifiers that one profile already holds never do. So a limit that becomes
stricter neither splits nor freezes an old profile.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from identity.planning.resolution.counters import attach, count_within, fit_windows, horizon, mark_seen, retire, unite
from identity.planning.resolution.planner_state import Counters, Profile
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Identifier
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

SEPARATED = "separated"
Cuts = Mapping[BlindIndex, Sequence[tuple[bytes, int]]]


class ExemptPair(Struct, frozen=True):
    """The two ids of an alias, exempt from limits: `profile` stands for their union, `sides` are its roots."""

    profile: Profile
    sides: list[Profile]
    keys: set[BlindIndex]


class Candidate(Struct, frozen=True):
    """The union that the identifiers of a call propose.

    `kept` are the identifiers of the call that the union would hold: `fresh` those that no profile holds, and `seen`
    those that a side holds, with the side. `sides` are the roots to join. `exempt` is the pair of an
    alias, part of all of these.
    """

    kept: list[Identifier] = []
    sides: list[Profile] = []
    fresh: list[Identifier] = []
    seen: list[tuple[Profile, Identifier]] = []
    exempt: ExemptPair | None = None

    def joins(self, root: Profile) -> bool:
        """Whether a root is one of the sides."""
        return any(root is side for side in self.sides)

    def add(self, identifier: Identifier, root: Profile | None) -> "Candidate":
        """The candidate with one more identifier, held by `root` or new."""
        kept = [*self.kept, identifier]
        if root is None:
            return replace(self, kept=kept, fresh=[*self.fresh, identifier])
        sides = self.sides if self.joins(root) else [*self.sides, root]
        return replace(self, kept=kept, sides=sides, seen=[*self.seen, (root, identifier)])

    def without(self, identifiers: Sequence[Identifier]) -> "Candidate":
        """The candidate without some of its identifiers. Not for the pair of an alias."""
        roots = {identifier.key: root for root, identifier in self.seen}
        rest = Candidate()
        for identifier in self.kept:
            if not any(identifier is each for each in identifiers):
                rest = rest.add(identifier, roots.get(identifier.key))
        return rest

    def exempting(self, profile: Profile) -> "Candidate":
        """The candidate of the two ids of an alias, exempt from limits; `profile` stands for their union."""
        return replace(self, exempt=ExemptPair(profile, self.sides, {identifier.key for identifier in self.kept}))

    def checked(self) -> "Candidate":
        """The candidate that limits apply to: the pair of an alias counts as one profile that exists already."""
        pair = self.exempt
        if pair is None:
            return self
        paired = [any(root is part for part in pair.sides) for root, _ in self.seen]
        return Candidate(
            kept=self.kept,
            sides=[pair.profile, *(side for side in self.sides if not any(side is part for part in pair.sides))],
            fresh=[identifier for identifier in self.fresh if identifier.key not in pair.keys],
            seen=[
                (pair.profile if is_paired else root, identifier)
                for is_paired, (root, identifier) in zip(paired, self.seen, strict=True)
            ],
        )


def over(parts: Iterable[int], fresh: int, limit: int) -> bool:
    """Whether a union breaks a limit: its count exceeds the limit and the count of its largest side."""
    total = largest = 0
    for part in parts:
        total += part
        largest = max(largest, part)
    total += fresh
    return total > limit and total > largest


def misfit(candidate: Candidate, time: Micros, rules: Rules, cuts: Cuts) -> str | None:
    """The first limit that a candidate breaks, or None.

    The identifiers in `seen` count in their windows at `time`. Order: types by priority, `max_identifiers`,
    `max_merges`, `separated`.
    """
    candidate = candidate.checked()
    sides, fresh = candidate.sides, candidate.fresh
    if not fresh and len(sides) <= 1:
        return None
    added: dict[str, int] = {}
    for identifier in fresh:
        added[identifier.type] = added.get(identifier.type, 0) + 1
    types = set(added)
    if len(sides) > 1:
        for side in sides:
            types.update(side.folded.types)
    broken = [type_ for type_ in types if _type_over(type_, candidate, added.get(type_, 0), time, rules)]
    if broken:
        return f"limit:{min(broken, key=rules.rank)}"
    if over([side.folded.total for side in sides], len(fresh), rules.max_identifiers):
        return "max_identifiers"
    if len(sides) > 1 and sum(side.folded.origins for side in sides) - 1 > rules.max_merges:
        return "max_merges"
    return SEPARATED if separated(candidate, cuts) else None


def _type_over(type_: str, candidate: Candidate, added: int, time: Micros, rules: Rules) -> bool:
    sides = candidate.sides
    after = horizon(rules, type_, time)
    if after is None:
        return over([side.folded.types.get(type_, 0) for side in sides], added, rules.limit(type_).max)
    parts = []
    for side in sides:
        live = side.folded.live
        refreshed = {i.key for root, i in candidate.seen if root is side and i.type == type_}
        if type_ == "user_id":
            refreshed = refreshed.intersection(live)
        parts.append(count_within(side.folded, type_, after, refreshed))
    return over(parts, added, rules.limit(type_).max)


def separated(candidate: Candidate, cuts: Cuts) -> bool:
    """Whether a candidate holds both sides of a cut that no single profile already spans."""
    held: dict[bytes, list[bool]] = {}
    spanned = set()
    for side in candidate.sides:
        for cut, (left, right) in side.folded.cuts.items():
            both = held.setdefault(cut, [False, False])
            both[0] |= left > 0
            both[1] |= right > 0
            if left and right:
                spanned.add(cut)
    for identifier in candidate.fresh:
        for cut, at in cuts.get(identifier.key, ()):
            held.setdefault(cut, [False, False])[at] = True
    return any(left and right and cut not in spanned for cut, (left, right) in held.items())


def united(candidate: Candidate, retired: Identifier, time: Micros, rules: Rules, cuts: Cuts) -> Profile:
    """The profile that an alias makes of its two ids, to check the other identifiers of the call against."""
    folded = Counters(types={}, live=[], origins=0)
    for side in candidate.sides:
        unite(folded, side.folded)
    folded.origins = max(folded.origins, 1)
    fit_windows(folded, rules)
    for identifier in candidate.fresh:
        attach(folded, identifier.key, identifier.type)
        mark_seen(folded, identifier.key, identifier.type, time)
        for cut, side_ in cuts.get(identifier.key, ()):
            left, right = folded.cuts.get(cut, (0, 0))
            folded.cuts[cut] = (left + (side_ == 0), right + (side_ == 1))
    if retired.key in folded.live:
        retire(folded, retired.key)
    nobody = ProfileId(b"")
    return Profile(
        id=nobody, created=Stamp(0), root=nobody, canonical=nobody, oldest_birth=Stamp(0), own=folded, folded=folded
    )
