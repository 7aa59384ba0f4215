"""The planner: what a sequence of calls does to the profiles around it (`merging.md` 1-4, 6).

One pure function, the same for a single call, a batch, a simulation and the test oracle: given
the same neighbourhood, rules, calls, stamps and fresh ids, the plan is the same, however the
calls are cut into batches. No I/O, no clock and no randomness of its own.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b

from msgspec import structs

from identity.identifiers import USER_ID
from identity.model import DAY, Call, Identifier, Outcome, Skipped
from identity.planning import alias, landing
from identity.planning.counters import attach, fit_windows, retire, see, unite
from identity.planning.fits import SEPARATED, misfit, separated
from identity.planning.plan import CREATED, DEMOTED, GAINED, MERGED, RETIRED, Change, UPSERT, Gained, MERGE, Note, Plan, Record
from identity.planning.rules import Rules
from identity.planning.scrub import scrub
from identity.planning.state import Counters, Neighbourhood, Profile, Sighting

MAX_SOURCES = 16
SUPPRESSED = "suppressed"


def plan(
    around: Neighbourhood,
    calls: Sequence[Call],
    rules: Rules,
    stamps: Callable[[int], int],
    fresh_id: Callable[[], bytes],
    public: Callable[[bytes], str],
) -> Plan:
    """Plans the calls in order.

    `stamps(after)` gives a stamp greater than `after` and than all it gave; `fresh_id` the id of
    a new profile; `public` writes an id as it is shown outside. The neighbourhood is used up.
    """
    planner = _Planner(around, rules, stamps, fresh_id, public)
    for call in calls:
        planner.plan.outcomes.append(planner.take(call))
    return planner.plan


class _Planner:
    def __init__(
        self,
        around: Neighbourhood,
        rules: Rules,
        stamps: Callable[[int], int],
        fresh_id: Callable[[], bytes],
        public: Callable[[bytes], str],
    ) -> None:
        self.around = around
        self.rules = rules
        self.stamps = stamps
        self.fresh_id = fresh_id
        self.public = public
        self.plan = Plan()
        self.gained: dict[bytes, Gained] = {}
        self.under: dict[bytes, list[Profile]] = {}
        for profile in around.profiles.values():
            self.under.setdefault(profile.head, []).append(profile)
            if rules.windowed and profile.head == profile.id:
                fit_windows(profile.folded, rules)

    def take(self, call: Call) -> Outcome:
        """One call, from its identifiers to where it lands."""
        around = self.around
        if call.message in around.messages:
            return Outcome(call.message_id, "duplicate")
        skipped = call.skipped
        identifiers = call.identifiers
        if len(identifiers) > 1:
            rank = self.rules.rank
            identifiers = sorted(identifiers, key=lambda identifier: rank(identifier.type))
        if around.blocked:
            call, identifiers, barred = _without(call, identifiers, around.blocked)
            skipped = skipped + [Skipped(i, "blocked") for i in barred]
        if around.suppressed:
            if identifiers and identifiers[0].key in around.suppressed:
                return Outcome(call.message_id, "suppressed")
            call, identifiers, barred = _without(call, identifiers, around.suppressed)
            if barred:
                skipped = skipped + [Skipped(i, SUPPRESSED) for i in barred]
                call = scrub(call, barred, self.rules)
        kept, demoted, decision = self._choose(call, identifiers)
        skipped = skipped + demoted if demoted else skipped
        if not kept:
            return Outcome(call.message_id, "unresolved", demoted=_told(skipped))
        return self._land(call, kept, skipped, decision)

    def _choose(
        self, call: Call, identifiers: list[Identifier]
    ) -> tuple[list[Identifier], list[Skipped], alias.Decision | None]:
        """Greedy by priority: an identifier that does not fit is demoted, the rest go on."""
        around = self.around
        kept: list[Identifier] = []
        demoted: list[Skipped] = []
        sides: list[Profile] = []
        fresh: list[Identifier] = []
        seen: list[tuple[Profile, Identifier]] = []
        decision = None
        if call.alias is not None:
            user = next((i for i in identifiers if i.type == USER_ID), None)
            decision = alias.decide(call, user, around, self.rules)
            self.plan.rests_on_absence |= decision.on_absence
            identifiers, demoted = self._pair(decision, user, identifiers, kept, sides, fresh, seen)
        for identifier in identifiers:
            head = around.head_of(identifier.key)
            if head is None:
                reason = misfit(sides, [*fresh, identifier], seen, call.time, self.rules, around.cuts)
                if reason is None:
                    fresh.append(identifier)
            elif any(head is side for side in sides):
                reason = None
                seen.append((head, identifier))
            else:
                more = [*seen, (head, identifier)]
                reason = misfit([*sides, head], fresh, more, call.time, self.rules, around.cuts)
                if reason is None:
                    sides.append(head)
                    seen = more
            if reason is None:
                kept.append(identifier)
            else:
                demoted.append(Skipped(identifier, reason))
                self.plan.rests_on_absence |= head is None
        return kept, demoted, decision

    def _pair(
        self,
        decision: alias.Decision,
        user: Identifier | None,
        identifiers: list[Identifier],
        kept: list[Identifier],
        sides: list[Profile],
        fresh: list[Identifier],
        seen: list[tuple[Profile, Identifier]],
    ) -> tuple[list[Identifier], list[Skipped]]:
        """Puts the two ids of an alias first, exempt from limits but not from cuts."""
        if decision.refused is not None:
            return identifiers, [Skipped(decision.refused, decision.reason)]
        if decision.link is None or user is None:
            return identifiers, []
        pair = [user, decision.link]
        heads: list[Profile] = []
        new = []
        for identifier in pair:
            head = self.around.head_of(identifier.key)
            if head is None:
                new.append(identifier)
            elif head not in heads:
                heads.append(head)
        rest = [i for i in identifiers if i.key not in (user.key, decision.link.key)]
        if separated(heads, new, self.around.cuts):
            self.plan.rests_on_absence |= bool(new)
            return [user, *rest], [Skipped(decision.link, SEPARATED)]
        kept += pair
        sides += heads
        fresh += new
        seen += [(head, i) for i in pair if (head := self.around.head_of(i.key)) is not None]
        return rest, []

    def _land(
        self, call: Call, kept: list[Identifier], skipped: list[Skipped], decision: alias.Decision | None
    ) -> Outcome:
        around, plan, rules = self.around, self.plan, self.rules
        if len(kept) > 1 and decision is not None:
            kept = sorted(kept, key=lambda identifier: rules.rank(identifier.type))
        heads: list[Profile] = []
        after = around.stamp
        for identifier in kept:
            head = around.head_of(identifier.key)
            if head is not None and not any(head is other for other in heads):
                heads.append(head)
                after = max(after, head.stamp)
        looked = [h for s in skipped if (h := around.head_of(s.identifier.key)) is not None]
        for head in looked:
            after = max(after, head.stamp)
        stamp = self.stamps(after)
        for head in looked:
            head.stamp = stamp
            self._touch(head)

        known = next((around.owners[i.key] for i in kept if i.key in around.owners), None)
        fresh = [i for i in kept if i.key not in around.owners]
        notes: list[Note] = []
        merged: list[bytes] = []
        if known is None:
            head = target = self._create(stamp)
            notes.append(Note(target.id, stamp, CREATED, []))
        else:
            target = around.profiles[known]
            head, merged = self._merge(heads, stamp) if len(heads) > 1 else (heads[0], merged)
            notes += [Note(target.id, stamp, MERGED, [], other) for other in merged]
        for identifier in fresh:
            self._gain(identifier, target, head, call, stamp)
        if fresh:
            notes.append(Note(target.id, stamp, GAINED, [i.key for i in fresh]))
        linked = decision.link if decision is not None else None
        if linked is not None and linked.type == USER_ID and self._retire(linked.key, head):
            notes.append(Note(target.id, stamp, RETIRED, [linked.key]))
        told, ignored = landing.tell(call, target, stamp, around, plan, self.fresh_id)
        if told or notes:
            head.version += 1
            plan.upserts[head.canonical] = Change(UPSERT, head.canonical, head.version, stamp)
        for loser in merged:
            plan.upserts.pop(loser, None)
            plan.merges.append(Change(MERGE, head.canonical, head.version, stamp, loser))

        head.stamp = target.stamp = stamp
        target.events += 1
        self._touch(head)
        self._touch(target)
        demoted = [s for s in skipped if s.reason != SUPPRESSED and s.identifier.key]
        new_set = self._sight(call, kept, demoted, target, head)
        if new_set and demoted:
            notes.append(
                Note(target.id, stamp, DEMOTED, [s.identifier.key for s in demoted], None, [s.reason for s in demoted])
            )
        taught = told or new_set or bool(notes) or bool(demoted) or call.kind == "alias"
        record = Record(target.id, stamp, call, [i.key for i in kept], [(s.identifier.key, s.reason) for s in demoted])
        (plan.evidence if taught else plan.events).append(record)
        plan.history += notes
        if decision is not None and decision.forced:
            plan.forced.append(record)
        plan.messages.add(call.message)
        around.messages.add(call.message)
        return Outcome(
            call.message_id,
            "accepted",
            None,
            self.public(head.canonical),
            known is None,
            [self.public(loser) for loser in merged],
            _told(skipped),
            ignored,
        )

    def _touch(self, profile: Profile) -> None:
        if profile.id not in self.plan.born:
            self.plan.touched[profile.id] = profile

    def _create(self, stamp: int) -> Profile:
        id_ = self.fresh_id()
        profile = Profile(id_, stamp, id_, id_, stamp, Counters({}, []), Counters({}, []), 0, stamp)
        fit_windows(profile.folded, self.rules)
        self.around.profiles[id_] = profile
        self.under[id_] = [profile]
        self.plan.born[id_] = profile
        return profile

    def _merge(self, heads: list[Profile], stamp: int) -> tuple[Profile, list[bytes]]:
        """Points the heads with fewer origins at the one with most; the oldest gives its name."""
        winner = min(heads, key=lambda head: (-head.folded.origins, head.elder))
        eldest = min(heads, key=lambda head: head.elder)
        merged = [head.canonical for head in heads if head is not eldest]
        canonical, elder = eldest.canonical, eldest.elder
        winner.version = max(head.version for head in heads)
        for loser in heads:
            if loser is winner:
                continue
            unite(winner.folded, loser.folded)
            loser.joined_to, loser.joined_at, loser.stamp = winner.id, stamp, stamp
            for origin in self.under.pop(loser.id):
                origin.head = winner.id
                self.under[winner.id].append(origin)
                self._touch(origin)
            self._move(loser, winner)
        winner.canonical, winner.elder = canonical, elder
        return winner, merged

    def _move(self, loser: Profile, winner: Profile) -> None:
        moved = self.plan.moved
        for head, to in moved.items():
            if to == loser.id:
                moved[head] = winner.id
        if loser.id not in self.plan.born:
            moved[loser.id] = winner.id

    def _gain(self, identifier: Identifier, target: Profile, head: Profile, call: Call, stamp: int) -> None:
        self.around.owners[identifier.key] = target.id
        attach(target.own, identifier.key, identifier.type)
        attach(head.folded, identifier.key, identifier.type)
        see(head.folded, identifier.key, identifier.type, call.time)
        for cut, side in self.around.cuts.get(identifier.key, ()):
            left, right = head.folded.cuts.get(cut, (0, 0))
            head.folded.cuts[cut] = (left + (side == 0), right + (side == 1))
        gained = Gained(identifier, target.id, call.source.key, stamp, call.time, call.time)
        self.gained[identifier.key] = gained
        self.plan.gained.append(gained)

    def _retire(self, key: bytes, head: Profile) -> bool:
        """The previous user id of an alias stays, resolves, and no longer counts."""
        if key not in head.folded.live:
            return False
        origin = self.around.profiles[self.around.owners[key]]
        retire(origin.own, key)
        retire(head.folded, key)
        gained = self.gained.get(key)
        if gained is not None:
            gained.retired = True
        else:
            self.plan.retired.append((origin.id, key))
            self._touch(origin)
        return True

    def _sight(
        self, call: Call, kept: list[Identifier], demoted: list[Skipped], target: Profile, head: Profile
    ) -> bool:
        """Counts the set of identifiers of a call; returns whether it was not yet seen together."""
        around, plan = self.around, self.plan
        keys = [i.key for i in kept] + [s.identifier.key for s in demoted if s.reason != "blocked"]
        at = (target.id, set_key(keys))
        before = around.sightings.get(at)
        day = call.time // DAY
        source = call.source.key
        if before is None:
            around.sightings[at] = plan.sightings[at] = Sighting(1, 1, day, (source,))
            later = True
        else:
            later = day > before.last_day
            sources = before.sources
            if source not in sources and len(sources) < MAX_SOURCES:
                sources = tuple(sorted((*sources, source)))
            around.sightings[at] = plan.sightings[at] = Sighting(
                before.count + 1, before.days + later, max(before.last_day, day), sources
            )
        windowed = self.rules.windowed
        for identifier in kept:
            counted = identifier.type in windowed
            if counted:
                see(head.folded, identifier.key, identifier.type, call.time)
            if counted or later:
                self._seen(identifier.key, call.time)
        return before is None

    def _seen(self, key: bytes, time: int) -> None:
        gained = self.gained.get(key)
        if gained is not None:
            gained.last_seen = max(gained.last_seen, time)
            return
        at = (self.around.owners[key], key)
        self.plan.seen[at] = max(time, self.plan.seen.get(at, time))


def set_key(keys: Sequence[bytes]) -> bytes:
    """The 16-byte key of a set of identifiers, by their keys in any order."""
    return blake2b(b"".join(sorted(keys)), digest_size=16).digest()


def _without(
    call: Call, identifiers: list[Identifier], barred: set[bytes]
) -> tuple[Call, list[Identifier], list[Identifier]]:
    """A call and its identifiers without the barred ones, and those it named."""
    found = [i for i in identifiers if i.key in barred]
    if call.alias is not None:
        previous = [i for i in (call.alias.user, call.alias.anonymous) if i is not None and i.key in barred]
        if previous:
            found += previous[:1]
            call = structs.replace(call, alias=None)
    if not found:
        return call, identifiers, []
    return call, [i for i in identifiers if i.key not in barred], found


def _told(skipped: Sequence[Skipped]) -> list[dict[str, str]]:
    return [{"identifier": s.identifier.text, "reason": s.reason} for s in skipped]
