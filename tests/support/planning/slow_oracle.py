"""A slow reference of the merging rules, written from docs/merging-rules.md and sharing no code with the planner.

Profiles are sets of identifiers. Every call counts the identifiers of every set again. It knows priority,
placeholder and blocked values, limits per type and in total, merges, what a public key may not claim, what a server key
takes over, and what an identity token proves; it knows no alias, window or cut. It keeps all event times of every
identifier.
"""

from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

Named = tuple[str, str]
PRIORITY = ("user_id", "email", "phone")
DEVICES = ("ga_client_id", "anonymous_id")
CLAIMABLE = ("user_id", *DEVICES)
PLACEHOLDERS = {"null", "guest", "-1"}


@dataclass
class Group:
    """One profile: its identifiers, those that only public keys linked, and how many profiles it was made from."""

    identifiers: set[Named] = field(default_factory=set)
    origins: int = 1
    unproven: set[Named] = field(default_factory=set)


class SlowOracle:
    """All profiles after some calls, under limits and blocked values."""

    def __init__(self, limits: dict[str, int], total: int, merges: int, blocked: set[str], shared: int = 20) -> None:
        self.limits, self.total, self.merges, self.blocked = {"user_id": 1, **limits}, total, merges, blocked
        self.shared = shared
        self.groups: list[Group] = []
        self.times: dict[Named, list[int]] = defaultdict(list)

    def send(
        self, body: dict[str, Any], time: int = 0, *, public: bool = False, token: dict[str, str] | None = None
    ) -> None:
        """One call: keep identifiers by priority while they fit together (2.3), then link what was kept (2.4).

        A public key claims user ids and devices, which go first; it reaches no profile by another identifier, and adds
        no address to one that has an address of a server. A server key names last what public keys claim for others,
        and takes it over from a profile that has more. A token makes a public call one of a server for what it names,
        which goes first, unless the call is that of another user.
        """
        kept: list[Named] = []
        taken: set[Named] = set()
        claimed = self._claimed(body)
        proven = self._proven(body.get("userId"), token) if public else set(claimed)
        claimed += [named for named in proven if named not in claimed]
        claims = {named for group in self.groups for named in group.unproven if named[0] not in CLAIMABLE}

        def turn(named: Named) -> int:
            return int(named in claims) if named in proven else 2 + (named[0] not in CLAIMABLE)

        for named in sorted(claimed, key=lambda n: (turn(n), self._rank(n))):
            while True:
                taken.discard(named)
                home = self._home(named)
                reached = any(named in side.identifiers for side in self._union(kept, taken)[0])
                if turn(named) == 1 and kept and not reached:
                    taken |= self._released(named, claimed)
                sides, fresh = self._union([*kept, named], taken)
                if reached:
                    kept.append(named)
                    break
                barred = turn(named) == 3 and home is not None
                if barred or (public and self._redirects([*kept, named], taken, proven)):
                    break
                guilty = self._sharing(kept, named, taken)
                if guilty and named not in guilty:
                    kept = [each for each in kept if each not in guilty]
                    continue
                if not guilty and self._fits(sides, fresh):
                    kept.append(named)
                break
        if kept:
            self._link(kept, taken.intersection(kept), time, proven)

    def _link(self, kept: list[Named], taken: set[Named], time: int, proven: set[Named]) -> None:
        """Make one profile of what was kept."""
        for named in taken:
            self.times[named] = []
            for group in self.groups:
                group.identifiers.discard(named)
                group.unproven.discard(named)
        for named in kept:
            self.times[named].append(time)
        sides, fresh = self._union(kept)
        union = Group(fresh.union(*(side.identifiers for side in sides)), sum(s.origins for s in sides) or 1)
        union.unproven.update(*(side.unproven for side in sides))
        union.unproven |= {named for named in fresh if named[0] not in CLAIMABLE and named not in proven}
        if len(proven.intersection(kept)) > 1:
            union.unproven -= proven.intersection(kept)
        self.groups = [group for group in self.groups if not any(group is side for side in sides)] + [union]

    def _proven(self, user: str | None, token: dict[str, str] | None) -> set[Named]:
        """What a token proves of a public call: nothing where the call names another user."""
        unusable = PLACEHOLDERS | self.blocked
        if token is None or token["user_id"] in unusable or user not in {None, token["user_id"], *unusable}:
            return set()
        return set(token.items())

    def _released(self, named: Named, claimed: list[Named]) -> set[Named]:
        """The identifier itself, where its profile has others that the call does not name."""
        home = self._home(named)
        return {named} if home is not None and home.identifiers - set(claimed) else set()

    def _home(self, named: Named) -> Group | None:
        return next((group for group in self.groups if named in group.identifiers), None)

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

    def _redirects(self, kept: list[Named], taken: set[Named], proven: set[Named]) -> bool:
        """Whether an address comes to a profile to which a server gave one (2.7).

        The profiles that a token names are one, and its own addresses are there already.
        """
        sides, fresh = self._union(kept, taken)
        named = [each for each in kept if each in proven]
        own = Group(set(named))
        for side in self._union(named, taken)[0]:
            own.identifiers |= side.identifiers
            own.unproven |= side.unproven - set(named).intersection(taken)
        own.unproven -= fresh
        others = [side for side in sides if not side.identifiers & set(named) - taken]
        parts = [part for part in [own, *others] if any(type_ == "email" for type_, _ in part.identifiers)]
        more = len(parts) > 1 or any(type_ == "email" for type_, _ in fresh - set(named))
        return more and any(type_ == "email" for part in parts for type_, _ in part.identifiers - part.unproven)

    def _union(self, kept: list[Named], taken: AbstractSet[Named] = frozenset()) -> tuple[list[Group], set[Named]]:
        """The profiles that some identifiers belong to, and the identifiers that belong to none or are taken over."""
        sides: list[Group] = []
        for named in kept:
            if named in taken:
                continue
            home = self._home(named)
            if home is not None and not any(home is side for side in sides):
                sides.append(home)
        return sides, {named for named in kept if named in taken or not any(named in s.identifiers for s in sides)}

    def _sharing(self, kept: list[Named], named: Named, taken: set[Named]) -> list[Named]:
        """The identifiers that a shared limit demotes when one more is kept (2.3)."""
        sides, fresh = self._union([*kept, named], taken)
        if named[0] in PRIORITY or not sides:
            return []
        strong = any(type_ in PRIORITY for type_, _ in kept)
        for type_ in ("email", "phone", "crm", "shop", *DEVICES):
            counts = [sum(each == type_ for each, _ in side.identifiers) for side in sides]
            total = sum(counts) + sum(each == type_ for each, _ in fresh)
            if total <= self.shared or total <= max(counts) or (strong and type_ not in PRIORITY):
                continue
            own = (
                []
                if named in taken
                else [n for side, n in zip(sides, counts, strict=True) if named in side.identifiers]
            )
            if strong or own == [max(counts)]:
                return [named]
            return [each for each in kept if each in sides[counts.index(max(counts))].identifiers - taken]
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
