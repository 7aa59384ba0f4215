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
from identity.values.calls import Call, Identifier
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

SEPARATED = "separated"
Cuts = Mapping[BlindIndex, Sequence[tuple[bytes, int]]]


class ExemptPair(Struct, frozen=True):
    """The two ids of an alias, exempt from limits: `profile` stands for their union, `roots` are its roots."""

    profile: Profile
    roots: list[Profile]
    keys: set[BlindIndex]


class Candidate(Struct, frozen=True):
    """The union that the identifiers of a call propose.

    `kept` are the identifiers of the call that the union would hold: `fresh` those that no profile holds, and `seen`
    those that a root holds, with the root. `roots` are those to join. `exempt` is the pair of an
    alias, part of all of these.
    """

    kept: list[Identifier] = []
    roots: list[Profile] = []
    fresh: list[Identifier] = []
    seen: list[tuple[Profile, Identifier]] = []
    exempt: ExemptPair | None = None

    def joins(self, root: Profile) -> bool:
        """Whether a root is one of those to join."""
        return any(root is each for each in self.roots)

    def add(self, identifier: Identifier, root: Profile | None) -> "Candidate":
        """The candidate with one more identifier, held by `root` or new."""
        kept = [*self.kept, identifier]
        if root is None:
            return replace(self, kept=kept, fresh=[*self.fresh, identifier])
        roots = self.roots if self.joins(root) else [*self.roots, root]
        return replace(self, kept=kept, roots=roots, seen=[*self.seen, (root, identifier)])

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
        return replace(self, exempt=ExemptPair(profile, self.roots, {identifier.key for identifier in self.kept}))

    def checked(self) -> "Candidate":
        """The candidate that limits apply to: the pair of an alias counts as one profile that exists already."""
        pair = self.exempt
        if pair is None:
            return self
        paired = [any(root is part for part in pair.roots) for root, _ in self.seen]
        return Candidate(
            kept=self.kept,
            roots=[pair.profile, *(root for root in self.roots if not any(root is part for part in pair.roots))],
            fresh=[identifier for identifier in self.fresh if identifier.key not in pair.keys],
            seen=[
                (pair.profile if is_paired else root, identifier)
                for is_paired, (root, identifier) in zip(paired, self.seen, strict=True)
            ],
        )


def over(parts: Iterable[int], fresh: int, limit: int) -> bool:
    """Whether a union breaks a limit: its count exceeds the limit and the count of its largest part."""
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
    roots, fresh = candidate.roots, candidate.fresh
    if not fresh and len(roots) <= 1:
        return None
    added: dict[str, int] = {}
    for identifier in fresh:
        added[identifier.type] = added.get(identifier.type, 0) + 1
    types = set(added)
    if len(roots) > 1:
        for root in roots:
            types.update(root.folded.types)
    broken = [type_ for type_ in types if _type_over(type_, candidate, added.get(type_, 0), time, rules)]
    if broken:
        return f"limit:{min(broken, key=rules.rank)}"
    if over([root.folded.total for root in roots], len(fresh), rules.max_identifiers):
        return "max_identifiers"
    if len(roots) > 1 and sum(root.folded.origins for root in roots) - 1 > rules.max_merges:
        return "max_merges"
    return SEPARATED if separated(candidate, cuts) else None


def _type_over(type_: str, candidate: Candidate, added: int, time: Micros, rules: Rules) -> bool:
    roots = candidate.roots
    after = horizon(rules, type_, time)
    if after is None:
        return over([root.folded.types.get(type_, 0) for root in roots], added, rules.limit(type_).max)
    parts = []
    for root in roots:
        live = root.folded.live
        refreshed = {i.key for holder, i in candidate.seen if holder is root and i.type == type_}
        if type_ == "user_id":
            refreshed = refreshed.intersection(live)
        parts.append(count_within(root.folded, type_, after, refreshed))
    return over(parts, added, rules.limit(type_).max)


def separated(candidate: Candidate, cuts: Cuts) -> bool:
    """Whether a candidate holds both sides of a cut that no single profile already spans."""
    held: dict[bytes, list[bool]] = {}
    spanned = set()
    for root in candidate.roots:
        for cut, (left, right) in root.folded.cuts.items():
            both = held.setdefault(cut, [False, False])
            both[0] |= left > 0
            both[1] |= right > 0
            if left and right:
                spanned.add(cut)
    for identifier in candidate.fresh:
        for cut, at in cuts.get(identifier.key, ()):
            held.setdefault(cut, [False, False])[at] = True
    return any(left and right and cut not in spanned for cut, (left, right) in held.items())


def unproven(candidate: Candidate, call: Call, protected: Iterable[str]) -> bool:
    """Whether a candidate adds an identifier of a protected type to a root for which a server key has linked one.

    What an identity token of the call names counts as one profile, to which the token may add.
    """
    if call.source.server:
        return False
    if call.proof is None:
        return any(_redirects(candidate, type_) for type_ in protected)
    own = [root for root, identifier in candidate.seen if call.vouches_for(identifier)]
    for type_ in protected:
        parts = [root.folded for root in candidate.roots if root.folded.types.get(type_) and not _is_any(root, own)]
        fresh = [call.vouches_for(identifier) for identifier in candidate.fresh if identifier.type == type_]
        sides = len(parts) + (any(fresh) or any(root.folded.types.get(type_) for root in own))
        proven = any(part.proven(type_) for part in [*parts, *(root.folded for root in own)])
        if (sides > 1 or not all(fresh)) and (proven or any(fresh)):
            return True
    return False


def _redirects(candidate: Candidate, type_: str) -> bool:
    parts = [root.folded for root in candidate.roots if root.folded.types.get(type_)]
    more = len(parts) > 1 or any(identifier.type == type_ for identifier in candidate.fresh)
    return more and any(part.proven(type_) for part in parts)


def _is_any(root: Profile, roots: Iterable[Profile]) -> bool:
    return any(root is each for each in roots)


def united(candidate: Candidate, retired: Identifier, time: Micros, rules: Rules, cuts: Cuts) -> Profile:
    """The profile that an alias makes of its two ids, to check the other identifiers of the call against."""
    folded = Counters(types={}, live=[], origins=0)
    for root in candidate.roots:
        unite(folded, root.folded)
    folded.origins = max(folded.origins, 1)
    fit_windows(folded, rules)
    for identifier in candidate.fresh:
        attach(folded, identifier.key, identifier.type)
        mark_seen(folded, identifier.key, identifier.type, time)
        for cut, side in cuts.get(identifier.key, ()):
            left, right = folded.cuts.get(cut, (0, 0))
            folded.cuts[cut] = (left + (side == 0), right + (side == 1))
    if retired.key in folded.live:
        retire(folded, retired.key)
    nobody = ProfileId(b"")
    return Profile(
        id=nobody, created=Stamp(0), root=nobody, canonical=nobody, oldest_birth=Stamp(0), own=folded, folded=folded
    )
