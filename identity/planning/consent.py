"""What a person decided, folded over the origins of a canonical profile (`merging.md` 3).

A decision replaces one made at another origin only if it arrived after the two origins met. So a
merge of people who disagree leaves both answers standing, which denies and says so, and undoing
the merge needs no write.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from identity.planning.state import Stamped


class Answer(Struct, frozen=True):
    """The answer for one category: `value` is True only if every standing decision grants."""

    value: bool
    conflict: bool
    captured: int


class Meeting(Struct, frozen=True):
    """The head `loser` joined the head `winner`; `stamp` is that of the call that merged them."""

    stamp: int
    loser: bytes
    winner: bytes


def fold(decisions: Mapping[bytes, Mapping[str, Stamped]], meetings: Iterable[Meeting]) -> dict[str, Answer]:
    """The answers of a canonical profile, from its origins' decisions and how the origins met."""
    met = sorted(meetings, key=lambda meeting: meeting.stamp)
    categories = {category for told in decisions.values() for category in told}
    return {category: _fold(category, decisions, met) for category in sorted(categories)}


def _fold(category: str, decisions: Mapping[bytes, Mapping[str, Stamped]], met: list[Meeting]) -> Answer:
    steps: list[tuple[int, int, Meeting | tuple[bytes, Stamped]]] = [(m.stamp, 0, m) for m in met]
    for origin, told in decisions.items():
        if category in told:
            steps.append((told[category][2], 1, (origin, told[category])))
    steps.sort(key=lambda step: step[:2])

    parent: dict[bytes, bytes] = {}
    frontiers: dict[bytes, list[Stamped]] = {}

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
        origin, decision = step
        at = root(origin)
        standing = frontiers.get(at, [])
        later = [other for other in standing if other[1:] > decision[1:]]
        if not standing or len(later) < len(standing):
            frontiers[at] = [*later, decision]
    left = [decision for frontier in frontiers.values() for decision in frontier]
    values = {bool(decision[0]) for decision in left}
    return Answer(values == {True}, len(values) > 1, max(decision[1] for decision in left))
