"""Folds the consent decisions of all origins of a canonical profile into one answer per category.

A decision replaces a decision of another origin only if it arrived after the two origins merged. Of two
decisions with the same time the denial counts. A denial recorded with a server-side or privacy key is never
lifted by a decision made with a public key. A denial made on a device that speaks for itself alone is lifted by
that device or by a server-side or privacy key.

So a merge of people who disagree keeps both decisions, which denies and reports a conflict, and undoing the
merge needs no write (docs/merging-rules.md §3.7).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from identity.values.documents import SERVER, STATED, Document, Stamped
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp


class DecisionAtOrigin(NamedTuple):
    """A decision made at an origin about one category; `server`: made with a server-side or privacy key.

    `apart`: made on a device that speaks for itself alone, whose id is the origin; `home` is the origin that the device
    created, None without one.
    """

    granted: bool
    time: Micros
    stamp: Stamp
    origin: ProfileId
    server: bool = False
    apart: bool = False
    home: ProfileId | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts anywhere: a device that created no origin grants nothing."""
        return not self.granted or not self.apart or self.home is not None

    @property
    def rank(self) -> tuple[Micros, bool, Stamp]:
        """Orders decisions by age: the newer one is greater; of two with the same time the denial is."""
        return self.time, not self.granted, self.stamp


def same_device(one: DecisionAtOrigin, other: DecisionAtOrigin) -> bool:
    """Whether two decisions were made on one device; its calls may be stored at several origins."""
    return one.origin == other.origin or (one.home is not None and one.home == other.home)


class ConsentAnswer(Struct, frozen=True):
    """The answer for one category: `value` is True only if every decision in force (`standing`) grants."""

    value: bool
    conflict: bool
    captured_at: Micros
    standing: tuple[DecisionAtOrigin, ...] = ()


class Meeting(Struct, frozen=True):
    """A merge: the root `loser` joined the root `winner`; `stamp` belongs to the call that merged them."""

    stamp: Stamp
    loser: ProfileId
    winner: ProfileId


_SIDES: Final = (("", False), (SERVER, True))
NO_HOMES: Final[Mapping[ProfileId, ProfileId | None]] = MappingProxyType({})
"""Where no device speaks for itself alone."""


def categories(documents: Mapping[ProfileId, Document]) -> list[str]:
    """All categories that any document names, sorted."""
    found = {
        name
        for document in documents.values()
        for held in (document.consent, document.server_decisions)
        for name in held
    }
    return sorted(found)


def fold(
    documents: Mapping[ProfileId, Document],
    meetings: Iterable[Meeting],
    homes: Mapping[ProfileId, ProfileId | None] = NO_HOMES,
) -> dict[str, ConsentAnswer]:
    """The answers of a canonical profile, from the documents of its origins and the merges that joined them.

    `homes` maps the ids of devices that speak for themselves alone to the origins that they created. A category has no
    answer where no statement on the category counts.
    """
    met = sorted(meetings, key=lambda meeting: meeting.stamp)
    counted = {
        name: [each for each in decisions(documents, name, homes) if each.counts] for name in categories(documents)
    }
    return {name: fold_decisions(found, met) for name, found in counted.items() if found}


def decisions(
    documents: Mapping[ProfileId, Document], category: str, homes: Mapping[ProfileId, ProfileId | None] = NO_HOMES
) -> list[DecisionAtOrigin]:
    """The decisions about a category; a complete statement that leaves the category out denies it."""
    found = []
    for origin, document in documents.items():
        for suffix, server in _SIDES:
            entry = (document.server_decisions if server else document.consent).get(category)
            stated = document.signals.get(STATED + suffix)
            if stated is not None and not _named(entry, stated, category):
                entry = (False, stated[1], stated[2])
            if entry is not None:
                found.append(
                    DecisionAtOrigin(
                        granted=bool(entry[0]),
                        time=entry[1],
                        stamp=entry[2],
                        origin=origin,
                        server=server,
                        apart=origin in homes,
                        home=homes.get(origin),
                    )
                )
    return found


def _named(entry: Stamped | None, stated: Stamped, category: str) -> bool:
    """Whether the newest complete statement, or a decision after it, names the category."""
    if entry is None or entry[1] < stated[1]:
        return False
    return entry[1] > stated[1] or category in stated[0]


def fold_decisions(found: Iterable[DecisionAtOrigin], met: Iterable[Meeting]) -> ConsentAnswer:
    """The answer of these decisions, of which there is at least one; `met` in the order of stamps."""
    steps: list[tuple[Stamp, int, Meeting | DecisionAtOrigin]] = [(m.stamp, 0, m) for m in met]
    steps += [(decision.stamp, 1, decision) for decision in found]
    steps.sort(key=lambda step: step[:2])

    parent: dict[ProfileId, ProfileId] = {}
    frontiers: dict[ProfileId, list[DecisionAtOrigin]] = {}

    def root(origin: ProfileId) -> ProfileId:
        while parent.get(origin, origin) != origin:
            parent[origin] = parent.get(parent[origin], parent[origin])
            origin = parent[origin]
        return origin

    for _, _, step in steps:
        if isinstance(step, Meeting):
            winner, loser = root(step.winner), root(step.loser)
            if winner != loser:
                parent[loser] = winner
                frontiers[winner] = frontiers.get(winner, []) + frontiers.pop(loser, [])
            continue
        at = root(step.origin)
        frontiers[at] = _apply_decision(frontiers.get(at, []), step)
    left = sorted(decision for frontier in frontiers.values() for decision in frontier)
    values = {decision.granted for decision in left}
    return ConsentAnswer(values == {True}, len(values) > 1, max(decision.time for decision in left), tuple(left))


def _apply_decision(standing: list[DecisionAtOrigin], new: DecisionAtOrigin) -> list[DecisionAtOrigin]:
    """The decisions in force after one more: older ones are dropped, unless all in force are newer."""
    fixed = [] if new.server else [each for each in standing if not each.granted and _is_fixed(each, new)]
    if fixed and new.granted:
        return standing
    others = [each for each in standing if each not in fixed and not _is_overruled(each, new)]
    later = [each for each in others if each.rank > new.rank]
    if others and len(later) == len(others) and not any(_leaves(each, new) for each in later):
        return standing
    return [*fixed, *later, new]


def _is_fixed(denial: DecisionAtOrigin, new: DecisionAtOrigin) -> bool:
    """Whether a decision made with a public key leaves a denial in force: a server's, or that of another device."""
    return denial.server or (new.apart and new.granted and not same_device(denial, new))


def _leaves(later: DecisionAtOrigin, denial: DecisionAtOrigin) -> bool:
    """Whether a later grant leaves a denial in force, since its device speaks for itself alone."""
    return later.apart and later.granted and not denial.granted and not same_device(later, denial)


def _is_overruled(standing: DecisionAtOrigin, new: DecisionAtOrigin) -> bool:
    """Whether a new denial by a server overrules a grant made with a public key, even a newer one."""
    return new.server and not new.granted and standing.granted and not standing.server
