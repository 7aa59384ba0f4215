"""Checks whether profiles and new identifiers may become one: limits, windows and cuts.

Only a union breaks a limit; the identifiers that one profile already holds never do. So a limit that becomes
stricter neither splits nor freezes an old profile.
"""

from collections.abc import Iterable, Mapping, Sequence

from identity.planning.resolution.counters import attach, count_within, fit_windows, horizon, mark_seen, retire, unite
from identity.planning.resolution.planner_state import Counters, Profile
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Identifier

SEPARATED = "separated"
Cuts = Mapping[bytes, Sequence[tuple[bytes, int]]]


def over(parts: Iterable[int], fresh: int, limit: int) -> bool:
    """Whether a union breaks a limit: its count exceeds the limit and the count of its largest side."""
    total = largest = 0
    for part in parts:
        total += part
        largest = max(largest, part)
    total += fresh
    return total > limit and total > largest


def misfit(
    sides: Sequence[Profile],
    fresh: Sequence[Identifier],
    seen: Sequence[tuple[Profile, Identifier]],
    time: int,
    rules: Rules,
    cuts: Cuts,
) -> str | None:
    """The first limit that the union of these roots and new identifiers breaks, or None.

    `seen` are the identifiers of the call that the sides already hold; each counts in its window at `time`.
    Order: types by priority, `max_identifiers`, `max_merges`, `separated`.
    """
    if not fresh and len(sides) <= 1:
        return None
    added: dict[str, int] = {}
    for identifier in fresh:
        added[identifier.type] = added.get(identifier.type, 0) + 1
    types = set(added)
    if len(sides) > 1:
        for side in sides:
            types.update(side.folded.types)
    broken = [type_ for type_ in types if _type_over(type_, sides, added.get(type_, 0), seen, time, rules)]
    if broken:
        return f"limit:{min(broken, key=rules.rank)}"
    if over([side.folded.total for side in sides], len(fresh), rules.max_identifiers):
        return "max_identifiers"
    if len(sides) > 1 and sum(side.folded.origins for side in sides) - 1 > rules.max_merges:
        return "max_merges"
    return SEPARATED if separated(sides, fresh, cuts) else None


def _type_over(
    type_: str,
    sides: Sequence[Profile],
    added: int,
    seen: Sequence[tuple[Profile, Identifier]],
    time: int,
    rules: Rules,
) -> bool:
    after = horizon(rules, type_, time)
    if after is None:
        return over([side.folded.types.get(type_, 0) for side in sides], added, rules.limit(type_).max)
    parts = []
    for side in sides:
        live = side.folded.live
        refreshed = {i.key for root, i in seen if root is side and i.type == type_}
        if type_ == "user_id":
            refreshed = refreshed.intersection(live)
        parts.append(count_within(side.folded, type_, after, refreshed))
    return over(parts, added, rules.limit(type_).max)


def separated(sides: Sequence[Profile], fresh: Sequence[Identifier], cuts: Cuts) -> bool:
    """Whether a union holds both sides of a cut that no single profile already spans."""
    held: dict[bytes, list[bool]] = {}
    spanned = set()
    for side in sides:
        for cut, (left, right) in side.folded.cuts.items():
            both = held.setdefault(cut, [False, False])
            both[0] |= left > 0
            both[1] |= right > 0
            if left and right:
                spanned.add(cut)
    for identifier in fresh:
        for cut, at in cuts.get(identifier.key, ()):
            held.setdefault(cut, [False, False])[at] = True
    return any(left and right and cut not in spanned for cut, (left, right) in held.items())


def whole(
    sides: Sequence[Profile],
    fresh: Sequence[Identifier],
    retired: Identifier,
    time: int,
    rules: Rules,
    cuts: Cuts,
) -> Profile:
    """The profile that an alias makes of its two ids, to check the other identifiers of the call against."""
    folded = Counters({}, [], origins=0)
    for side in sides:
        unite(folded, side.folded)
    folded.origins = max(folded.origins, 1)
    fit_windows(folded, rules)
    for identifier in fresh:
        attach(folded, identifier.key, identifier.type)
        mark_seen(folded, identifier.key, identifier.type, time)
        for cut, side_ in cuts.get(identifier.key, ()):
            left, right = folded.cuts.get(cut, (0, 0))
            folded.cuts[cut] = (left + (side_ == 0), right + (side_ == 1))
    if retired.key in folded.live:
        retire(folded, retired.key)
    return Profile(b"", 0, b"", b"", 0, folded, folded)
