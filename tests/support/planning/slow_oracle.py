"""A slow reference of the merging rules, written from docs/merging-rules.md and sharing no code with the planner.

Profiles are sets of identifiers. Every call counts the identifiers of every set again. It knows priority,
placeholder and blocked values, limits per type and in total, merges, and what a public key may not claim; it knows no
alias, window or cut. It keeps all event times of every identifier.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

Named = tuple[str, str]
PRIORITY = ("user_id", "email", "phone")
DEVICES = ("ga_client_id", "anonymous_id")
CLAIMABLE = ("user_id", *DEVICES)
PLACEHOLDERS = {"null", "guest", "-1"}


@dataclass
class Group:
    """One profile: its identifiers, and the number of profiles that it was made from."""

    identifiers: set[Named] = field(default_factory=set)
    origins: int = 1


class SlowOracle:
    """All profiles after some calls, under limits and blocked values."""

    def __init__(self, limits: dict[str, int], total: int, merges: int, blocked: set[str], shared: int = 20) -> None:
        self.limits, self.total, self.merges, self.blocked = {"user_id": 1, **limits}, total, merges, blocked
        self.shared = shared
        self.groups: list[Group] = []
        self.times: dict[Named, list[int]] = defaultdict(list)

    def send(self, body: dict[str, Any], time: int = 0, *, public: bool = False) -> None:
        """One call: keep identifiers by priority while they fit together (2.3), then link what was kept (2.4).

        A public key claims user ids and devices, which go first; it reaches no profile by another identifier.
        """
        kept: list[Named] = []
        for named in sorted(self._claimed(body), key=lambda n: (public and n[0] not in CLAIMABLE, self._rank(n))):
            while True:
                known = any(named in group.identifiers for group in self.groups)
                reached = any(named in side.identifiers for side in self._union(kept)[0])
                if public and named[0] not in CLAIMABLE and known and not reached:
                    break
                sides, fresh = self._union([*kept, named])
                if reached:
                    kept.append(named)
                    break
                guilty = self._sharing(kept, named)
                if guilty and named not in guilty:
                    kept = [each for each in kept if each not in guilty]
                    continue
                if not guilty and self._fits(sides, fresh):
                    kept.append(named)
                break
        for named in kept:
            self.times[named].append(time)
        sides, fresh = self._union(kept)
        if kept:
            union = Group(fresh.union(*(side.identifiers for side in sides)), sum(s.origins for s in sides) or 1)
            self.groups = [group for group in self.groups if not any(group is side for side in sides)] + [union]

    def partition(self) -> list[list[Named]]:
        """The identifiers of every profile."""
        return sorted(sorted(group.identifiers) for group in self.groups)

    def seen(self) -> dict[Named, tuple[int, int]]:
        """The first and the last event time of every identifier."""
        return {named: (min(times), max(times)) for named, times in self.times.items()}

    def _claimed(self, body: dict[str, Any]) -> list[Named]:
        external = [(each["type"], each["id"]) for each in body.get("context", {}).get("externalIds", [])]
        email = body.get("traits", {}).get("email") if body["type"] == "identify" else None
        named = [
            ("user_id", body.get("userId")),
            ("email", email),
            *external,
            ("anonymous_id", body.get("anonymousId")),
        ]
        found = [(type_, value) for type_, value in named if value and value not in PLACEHOLDERS | self.blocked]
        return list(dict.fromkeys(found))

    def _union(self, kept: list[Named]) -> tuple[list[Group], set[Named]]:
        """The profiles that some identifiers belong to, and the identifiers that belong to none."""
        sides: list[Group] = []
        for named in kept:
            home = next((group for group in self.groups if named in group.identifiers), None)
            if home is not None and not any(home is side for side in sides):
                sides.append(home)
        return sides, {named for named in kept if not any(named in side.identifiers for side in sides)}

    def _sharing(self, kept: list[Named], named: Named) -> list[Named]:
        """The identifiers that a shared limit demotes when one more is kept (2.3)."""
        sides, fresh = self._union([*kept, named])
        if named[0] in PRIORITY or not sides:
            return []
        strong = any(type_ in PRIORITY for type_, _ in kept)
        for type_ in ("email", "phone", "crm", "shop", *DEVICES):
            counts = [sum(each == type_ for each, _ in side.identifiers) for side in sides]
            total = sum(counts) + sum(each == type_ for each, _ in fresh)
            if total <= self.shared or total <= max(counts) or (strong and type_ not in PRIORITY):
                continue
            own = [count for side, count in zip(sides, counts, strict=True) if named in side.identifiers]
            if strong or own == [max(counts)]:
                return [named]
            return [each for each in kept if each in sides[counts.index(max(counts))].identifiers]
        return []

    @staticmethod
    def _rank(named: Named) -> tuple[int, int, str]:
        type_ = named[0]
        if type_ in PRIORITY:
            return 0, PRIORITY.index(type_), ""
        return (2, DEVICES.index(type_), "") if type_ in DEVICES else (1, 0, type_)

    def _fits(self, sides: list[Group], fresh: set[Named]) -> bool:
        """Whether the union breaks no limit (2.5): it is above one, and above the largest of its sides."""
        counts = [Counter(type_ for type_, _ in side.identifiers) for side in sides]
        added = Counter(type_ for type_, _ in fresh)
        for type_ in added.keys() | {type_ for count in counts for type_ in count}:
            parts = [count[type_] for count in counts]
            union = sum(parts) + added[type_]
            if union > self.limits.get(type_, 20) and union > max(parts, default=0):
                return False
        sizes = [len(side.identifiers) for side in sides]
        if (union := sum(sizes) + len(fresh)) > self.total and union > max(sizes, default=0):
            return False
        return len(sides) < 2 or sum(side.origins for side in sides) - 1 <= self.merges
