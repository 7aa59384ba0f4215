"""What a person decided, folded over the origins of a canonical profile (docs/merging-rules.md §3.7).

A decision replaces one made at another origin only if it arrived after the two origins met. So a
merge of people who disagree leaves both answers standing, which denies and says so, and undoing
the merge needs no write. Two decisions of one moment deny. What a server-side or privacy key
recorded as denied, no decision that came with a public key lifts.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec import Struct

from identity.values.documents import SERVER, STATED, Document, Stamped


class ConsentDecision(NamedTuple):
    """What was said at an origin of one thing; `server`: a server-side or privacy key said it."""

    granted: bool
    time: int
    stamp: int
    origin: bytes
    server: bool = False

    @property
    def rank(self) -> tuple[int, bool, int]:
        """The greater one is newer; at one moment a denial is."""
        return self.time, not self.granted, self.stamp


class ConsentAnswer(Struct, frozen=True):
    """The answer for one category: `value` is True only if every standing decision grants."""

    value: bool
    conflict: bool
    captured: int
    standing: tuple[ConsentDecision, ...] = ()


class Meeting(Struct, frozen=True):
    """The head `loser` joined the head `winner`; `stamp` is that of the call that merged them."""

    stamp: int
    loser: bytes
    winner: bytes


_SIDES: Final = (("", False), (SERVER, True))


def categories(documents: Mapping[bytes, Document]) -> list[str]:
    """Every category that was ever named, sorted."""
    found = {name for document in documents.values() for said in (document.consent, document.rulings) for name in said}
    return sorted(found)


def fold(documents: Mapping[bytes, Document], meetings: Iterable[Meeting]) -> dict[str, ConsentAnswer]:
    """The answers of a canonical profile, from the documents of its origins and how these met."""
    met = sorted(meetings, key=lambda meeting: meeting.stamp)
    return {name: fold_decisions(decisions(documents, name), met) for name in categories(documents)}


def decisions(documents: Mapping[bytes, Document], category: str) -> list[ConsentDecision]:
    """What was said of a category: a whole statement that does not name it denies it."""
    found = []
    for origin, document in documents.items():
        for suffix, server in _SIDES:
            entry = (document.rulings if server else document.consent).get(category)
            stated = document.signals.get(STATED + suffix)
            if stated is not None and not _named(entry, stated, category):
                entry = (False, stated[1], stated[2])
            if entry is not None:
                found.append(ConsentDecision(bool(entry[0]), entry[1], entry[2], origin, server))
    return found


def _named(entry: Stamped | None, stated: Stamped, category: str) -> bool:
    """Whether a category was spoken of in the newest whole statement, or since."""
    if entry is None or entry[1] < stated[1]:
        return False
    return entry[1] > stated[1] or category in stated[0]


def fold_decisions(said: Iterable[ConsentDecision], met: Iterable[Meeting]) -> ConsentAnswer:
    """The answer that these decisions, at least one, come to; `met` in the order of stamps."""
    steps: list[tuple[int, int, Meeting | ConsentDecision]] = [(m.stamp, 0, m) for m in met]
    steps += [(decision.stamp, 1, decision) for decision in said]
    steps.sort(key=lambda step: step[:2])

    parent: dict[bytes, bytes] = {}
    frontiers: dict[bytes, list[ConsentDecision]] = {}

    def root(origin: bytes) -> bytes:
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
        frontiers[at] = _hear(frontiers.get(at, []), step)
    left = sorted(decision for frontier in frontiers.values() for decision in frontier)
    values = {decision.granted for decision in left}
    return ConsentAnswer(values == {True}, len(values) > 1, max(decision.time for decision in left), tuple(left))


def _hear(standing: list[ConsentDecision], told: ConsentDecision) -> list[ConsentDecision]:
    """What stands after one more decision: it drops older ones, unless all that stand are newer."""
    fixed = [] if told.server else [each for each in standing if each.server and not each.granted]
    if fixed and told.granted:
        return standing
    others = [each for each in standing if each not in fixed and not _yields(each, told)]
    later = [each for each in others if each.rank > told.rank]
    if others and len(later) == len(others):
        return standing
    return [*fixed, *later, told]


def _yields(standing: ConsentDecision, to: ConsentDecision) -> bool:
    """Whether a standing grant could not have come after what is told now, however new it is."""
    return to.server and not to.granted and standing.granted and not standing.server
