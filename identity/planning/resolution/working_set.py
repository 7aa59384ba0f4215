"""Changes the planner state for a plan: creates, merges, links, retires, counts.

At the end of each step the own counters add up to the folded ones, and every loaded origin points to its root.
Each step changes the state in place, so that later calls see it, and records in the plan what the store writes.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b

from identity.planning.resolution.counters import attach, detach, fit_windows, mark_seen, retire, uncut, unite
from identity.planning.resolution.plan import Gained, Plan, widen
from identity.planning.resolution.planner_state import Counters, PlannerState, Profile, Sighting
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import DAY, Call, Identifier
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp

MAX_SOURCES = 16


class WorkingSet:
    """A planner state and the plan in the making."""

    def __init__(self, state: PlannerState, rules: Rules, fresh_id: Callable[[], ProfileId]) -> None:
        self.state = state
        self.rules = rules
        self.fresh_id = fresh_id
        self.plan = Plan()
        self._gained: dict[bytes, Gained] = {}
        self._origins: dict[bytes, list[Profile]] = {}
        for profile in state.profiles.values():
            self._origins.setdefault(profile.root, []).append(profile)
            if (rules.windowed or profile.folded.windows) and profile.root == profile.id:
                # Without a rule the window has to go: nothing keeps it current.
                fit_windows(profile.folded, rules)
                self.plan.recounted.add(profile.id)

    def touch(self, profile: Profile) -> None:
        """Mark an existing profile to be written."""
        if profile.id not in self.plan.created:
            self.plan.touched[profile.id] = profile

    def create(self, stamp: Stamp) -> Profile:
        """Create a profile that is its own root."""
        id_ = self.fresh_id()
        profile = Profile(
            id=id_,
            created=stamp,
            root=id_,
            canonical=id_,
            oldest_birth=stamp,
            own=Counters(types={}, live=[]),
            folded=Counters(types={}, live=[]),
            version=0,
            stamp=stamp,
        )
        fit_windows(profile.folded, self.rules)
        self.state.profiles[id_] = profile
        self._origins[id_] = [profile]
        self.plan.created[id_] = profile
        return profile

    def merge(self, roots: Sequence[Profile], stamp: Stamp) -> tuple[Profile, list[ProfileId]]:
        """Point the other roots to the root with the most origins; the oldest profile gives the canonical id.

        Returns the root that stays and the canonical ids that end.
        """
        winner = min(roots, key=lambda root: (-root.folded.origins, root.oldest_birth))
        oldest = min(roots, key=lambda root: root.oldest_birth)
        merged = [root.canonical for root in roots if root is not oldest]
        canonical, oldest_birth = oldest.canonical, oldest.oldest_birth
        winner.version = max(root.version for root in roots)
        for loser in roots:
            if loser is winner:
                continue
            unite(winner.folded, loser.folded)
            if loser.id in self.state.under_hold:
                self.state.under_hold.add(winner.id)
            loser.joined_to, loser.joined_at, loser.stamp = winner.id, stamp, stamp
            for origin in self._origins.pop(loser.id):
                origin.root = winner.id
                self._origins[winner.id].append(origin)
                self.touch(origin)
            self.plan.recounted.update((winner.id, loser.id))
            self._move(loser, winner)
        winner.canonical, winner.oldest_birth = canonical, oldest_birth
        return winner, merged

    def _move(self, loser: Profile, winner: Profile) -> None:
        moved = self.plan.moved
        for root, to in moved.items():
            if to == loser.id:
                moved[root] = winner.id
        if loser.id not in self.plan.created:
            moved[loser.id] = winner.id

    def gain(self, identifier: Identifier, target: Profile, root: Profile, call: Call, stamp: Stamp) -> None:
        """Link a new identifier to the target origin of a call."""
        self.state.owners[identifier.key] = target.id
        unproven = self.rules.asks_for_proof(call, identifier)
        attach(target.own, identifier.key, identifier.type, unproven=unproven)
        attach(root.folded, identifier.key, identifier.type, unproven=unproven)
        self.plan.recounted.update((target.id, root.id))
        mark_seen(root.folded, identifier.key, identifier.type, call.time)
        for cut, side in self.state.cuts.get(identifier.key, ()):
            left, right = root.folded.cuts.get(cut, (0, 0))
            root.folded.cuts[cut] = (left + (side == 0), right + (side == 1))
        gained = Gained(
            identifier=identifier,
            origin=target.id,
            source=call.source.key_number,
            linked_at=stamp,
            first_seen=call.time,
            last_seen=call.time,
            unproven=unproven,
        )
        self._gained[identifier.key] = gained
        self.plan.gained.append(gained)

    def release(self, identifier: Identifier) -> tuple[Profile, Profile]:
        """Detach a live identifier from its origin; returns the origin and its root. Its evidence stays."""
        key, state = identifier.key, self.state
        origin = state.profiles[state.owners.pop(key)]
        root = state.profiles[origin.root]
        detach(origin.own, key, identifier.type)
        detach(root.folded, key, identifier.type)
        uncut(root.folded, state.cuts.get(key, ()))
        self.plan.recounted.update((origin.id, root.id))
        gained = self._gained.pop(key, None)
        if gained is None:
            self.plan.detached.append((origin.id, key))
        else:
            self.plan.gained.remove(gained)
        self.plan.seen.pop((origin.id, key), None)
        self.touch(origin)
        self.touch(root)
        return origin, root

    def prove(self, call: Call, kept: Sequence[Identifier], root: Profile) -> bool:
        """Note that a server key names these identifiers of a profile together; returns whether that proves a link.

        An identity token proves the links between the identifiers that it names.
        """
        if not (call.source.server or call.proof) or not root.folded.unproven:
            return False
        kept = [each for each in kept if call.vouches_for(each)]
        if len(kept) < 2:  # noqa: PLR2004
            return False
        proved = [each for each in kept if root.folded.unproven.pop(each.key, None) is not None]
        for identifier in proved:
            origin = self.state.profiles[self.state.owners[identifier.key]]
            origin.own.unproven.pop(identifier.key, None)
            self.plan.recounted.update((origin.id, root.id))
            self.touch(origin)
            if identifier.key in self._gained:
                self._gained[identifier.key].unproven = False
        return bool(proved)

    def retire(self, key: BlindIndex, root: Profile) -> bool:
        """Stop counting a renamed user id, which stays and resolves; False where it did not count before."""
        if key not in root.folded.live:
            return False
        origin = self.state.profiles[self.state.owners[key]]
        retire(origin.own, key)
        retire(root.folded, key)
        self.plan.recounted.update((origin.id, root.id))
        gained = self._gained.get(key)
        if gained is not None:
            gained.retired = True
        else:
            self.plan.retired.append((origin.id, key))
            self.touch(origin)
        return True

    def sight(
        self, call: Call, kept: Sequence[Identifier], demoted: Sequence[BlindIndex], target: Profile, root: Profile
    ) -> bool:
        """Count a sighting of the identifiers of a call; returns whether the set is new at this origin."""
        state = self.state
        at = (target.id, set_key([*(i.key for i in kept), *demoted]))
        before = state.sightings.get(at)
        state.sightings[at] = self.plan.sightings[at] = _again(before, call.time, call.source.key_number)
        windowed = self.rules.windowed
        for identifier in kept:
            if identifier.type in windowed:
                mark_seen(root.folded, identifier.key, identifier.type, call.time)
            self._seen(identifier.key, call.time)
        return before is None

    def _seen(self, key: BlindIndex, time: Micros) -> None:
        gained = self._gained.get(key)
        if gained is not None:
            widen(gained, time, time)
            return
        at = (self.state.owners[key], key)
        first, last = self.plan.seen.get(at, (time, time))
        self.plan.seen[at] = (min(first, time), max(last, time))


def set_key(keys: Sequence[BlindIndex]) -> SetKey:
    """The 16-byte key of a set of identifiers; the order of their keys does not matter."""
    return SetKey(blake2b(b"".join(sorted(keys)), digest_size=16).digest())


def _again(before: Sighting | None, time: Micros, source: int) -> Sighting:
    day = time // DAY
    if before is None:
        return Sighting(seen=1, days=1, last_day=day, first_seen=time, last_seen=time, sources=(source,))
    sources = before.sources
    if source not in sources and len(sources) < MAX_SOURCES:
        sources = tuple(sorted((*sources, source)))
    return Sighting(
        seen=before.seen + 1,
        days=before.days + (day > before.last_day),
        last_day=max(before.last_day, day),
        first_seen=min(before.first_seen, time),
        last_seen=max(before.last_seen, time),
        sources=sources,
    )
