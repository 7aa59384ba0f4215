"""Plans the effects of a sequence of calls on the profiles they name (docs/merging-rules.md §1-4, 6).

The same planner state, rules, calls, stamps and fresh ids give the same plan, in any division into batches: the
planner has no I/O, no clock and no randomness. So a single call, a batch, a simulation and a rebuild share it.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import UNSET, structs

from identity.planning.resolution.apply_call import apply_call
from identity.planning.resolution.choose_identifiers import Choice, Chooser
from identity.planning.resolution.fold_documents import newest_stamp
from identity.planning.resolution.plan import FeedChange, HistoryNote, Plan, RecordedCall
from identity.planning.resolution.planner_state import PlannerState, Profile
from identity.planning.resolution.redact_suppressed import scrub, without
from identity.planning.resolution.rejections import ignored_traits, unresolved
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.working_set import WorkingSet
from identity.values.calls import KINDS, Call, DemotedIdentifier, Identifier, Outcome
from identity.values.enums import HIDDEN, FeedOperation, HistoryKind, UnlinkedReason
from identity.values.identifiers import USER_ID
from identity.values.ids import ProfileId
from identity.values.stamps import Stamp

UNDER_HOLD = "under_hold"
BLOCKED = "blocked"
JOIN_NOT_WAITING = "join_not_waiting"


def plan(
    state: PlannerState,
    calls: Iterable[Call],
    rules: Rules,
    stamps: Callable[[Stamp], Stamp],
    fresh_id: Callable[[], ProfileId],
    public: Callable[[bytes], str],
) -> Plan:
    """Plan the calls in order.

    `stamps(after)` gives a stamp greater than `after` and than every earlier one, `fresh_id` the id of a new
    profile, `public` the public form of an id. The plan consumes `state`: nothing else may use it afterwards.
    """
    planner = _Planner(WorkingSet(state, rules, fresh_id), stamps, public)
    for call in calls:
        outcome = planner.accept(call)
        if (call.ignored_times or call.mended or call.ignored_fields) and outcome.status != "duplicate":
            outcome.ignored_timestamp = ", ".join(call.ignored_times) or None
            outcome.mended_values = call.mended
            fields = [{"field": field, "reason": reason} for field, reason in call.ignored_fields.items()]
            outcome.ignored_fields = [*fields, *(outcome.ignored_fields or ())] or UNSET
        planner.plan.outcomes.append(outcome)
    return planner.plan


class _Planner:
    def __init__(self, working: WorkingSet, stamps: Callable[[Stamp], Stamp], public: Callable[[bytes], str]) -> None:
        self.working = working
        self.state = working.state
        self.rules = working.rules
        self.plan = working.plan
        self.chooser = Chooser(working.state, working.rules, working.plan)
        self.stamps = stamps
        self.public = public

    def accept(self, call: Call) -> Outcome:
        """Plan one call."""
        state = self.state
        if call.message_key in state.message_keys:
            return Outcome(message_id=call.message_id, status="duplicate")
        refusal = _refusal(call, state) if call.kind in ("leave", "confirm") else None
        if refusal is not None:
            return Outcome(message_id=call.message_id, status="rejected", reason=refusal)
        demoted = call.demoted
        identifiers = call.identifiers
        if len(identifiers) > 1:
            rank = self.rules.rank
            identifiers = sorted(identifiers, key=lambda identifier: rank(identifier.type))
        if state.blocked:
            call, identifiers, blocked = without(call, identifiers, state.blocked)
            demoted = demoted + [DemotedIdentifier(i, BLOCKED) for i in blocked]
        hidden = state.hidden(call)
        if hidden:
            if identifiers and identifiers[0].key in hidden:
                reason = state.hidden_reason(identifiers[0].key)
                return Outcome(message_id=call.message_id, status="suppressed", reason=reason)
            call, identifiers, scrubbed = without(call, identifiers, hidden)
            demoted = demoted + [DemotedIdentifier(i, state.hidden_reason(i.key)) for i in scrubbed]
            scrubbed += [i for i in call.unlinked if i.key in hidden]
            if scrubbed:
                call = scrub(call, scrubbed, self.rules)
        call = _with_proof_of(identifiers, call)
        choice = self.chooser.choose(call, identifiers)
        demoted = demoted + choice.demoted if choice.demoted else demoted
        if call.kind == "confirm" and demoted:
            return Outcome(message_id=call.message_id, status="rejected", reason=demoted[0].reason)
        if not choice.candidate.kept or (call.kind == "leave" and choice.candidate.fresh):
            return unresolved(call, demoted)
        return self._land(call, choice, demoted)

    def _land(self, call: Call, choice: Choice, demoted: list[DemotedIdentifier]) -> Outcome:
        """Place the call on one profile, also where some of its identifiers are demoted."""
        state, plan, working = self.state, self.plan, self.working
        kept = choice.candidate.kept
        stamp = self._stamp(call, choice, demoted)
        left = self._take_over(choice, kept, stamp)
        origin = next((state.owners[i.key] for i in kept if i.key in state.owners), None)
        root, target, merged, notes = self._link(call, choice, origin, stamp)
        notes += left
        proved = working.prove(call, kept, root)
        result = apply_call(call, target, stamp, state, plan, working.fresh_id, self.rules.traits)
        # Beside other origins a newer time alone may change the visible value.
        seen = result.visible or (result.stored and root.folded.origins > 1)
        self._announce(root, merged, stamp, changed=seen or bool(notes))
        recorded = [s for s in demoted if s.reason not in HIDDEN and s.identifier.key]
        unseen = working.sight(call, kept, [s.identifier.key for s in recorded if s.reason != BLOCKED], target, root)
        if unseen and recorded:
            keys, reasons = [s.identifier.key for s in recorded], [s.reason for s in recorded]
            kind = HistoryKind.IDENTIFIERS_DEMOTED
            notes.append(HistoryNote(origin=target.id, stamp=stamp, kind=kind, keys=keys, reasons=reasons))
        root.stamp = target.stamp = stamp
        target.events += call.kind in KINDS
        working.touch(root)
        working.touch(target)
        record = RecordedCall(
            origin=target.id,
            stamp=stamp,
            call=call,
            kept=[i.key for i in kept],
            demoted=[(s.identifier.key, s.reason) for s in recorded],
        )
        # After an unmerge, older content may be the newest that stays; a rebuild may know a type that is unknown now.
        content = bool(call.traits or call.consent or call.signals or call.invalid_signals) or call.group is not None
        evident = content or unseen or proved or bool(notes) or bool(recorded) or call.kind == "alias"
        evident = evident or any(s.reason == UnlinkedReason.TYPE_NEEDS_SERVER_KEY for s in demoted)
        (plan.evidence if evident else plan.events).append(record)
        plan.history += notes
        if choice.decision.forced:
            plan.forced.append(record)
        if call.kind == "confirm":
            plan.confirmed.append(record)
            if state.decided_joins is not None:
                state.decided_joins.add(call.body["join"])
        plan.message_keys.add(call.message_key)
        state.message_keys.add(call.message_key)
        return Outcome(
            message_id=call.message_id,
            status="accepted",
            profile_id=self.public(root.canonical),
            created=origin is None,
            merged=[self.public(id_) for id_ in merged],
            demoted=[each.shown for each in demoted],
            ignored_traits=[*result.refused, *result.waiting],
            ignored_fields=ignored_traits(result.waiting) if result.waiting else UNSET,
            invalid_signals=call.invalid_signals or UNSET,
        )

    def _stamp(self, call: Call, choice: Choice, demoted: Sequence[DemotedIdentifier]) -> Stamp:
        """A stamp greater than those of all profiles that the call reads; each of them gets it.

        The stamp also exceeds those of the traits of the call's group, so that the order of group calls is kept.
        """
        looked = list(choice.candidate.roots)
        # The store does not load the profiles of blocked identifiers.
        away = [each.identifier for each in demoted if each.reason != BLOCKED]
        for identifier in [*away, *choice.taken.values()]:
            root = self.state.root_of(identifier.key)
            if root is not None:
                looked.append(root)
        group = self.state.groups.get(call.group_key) if call.group_traits else None
        newest = Stamp(0) if group is None else newest_stamp(group.document)
        stamp = self.stamps(max([self.state.lock_stamp, newest, *(root.stamp for root in looked)]))
        for root in looked:
            root.stamp = stamp
            self.working.touch(root)
        return stamp

    def _take_over(self, choice: Choice, kept: Sequence[Identifier], stamp: Stamp) -> list[HistoryNote]:
        """Detach the identifiers that this call of a server takes over; returns the notes for their origins.

        Another batch may have looked up their origins already, so the plan needs the space lock alone.
        """
        notes = []
        for identifier in choice.taken.values():
            if not any(each is identifier for each in kept):
                continue
            origin, root = self.working.release(identifier)
            origin.stamp = stamp
            self.plan.assumes_unknown = True
            self._announce(root, (), stamp, changed=True)
            kind = HistoryKind.IDENTIFIER_TAKEN_OVER
            notes.append(HistoryNote(origin=origin.id, stamp=stamp, kind=kind, keys=[identifier.key]))
        return notes

    def _link(
        self, call: Call, choice: Choice, origin: ProfileId | None, stamp: Stamp
    ) -> tuple[Profile, Profile, list[ProfileId], list[HistoryNote]]:
        """The root and the target origin of a call, with its identifiers linked."""
        working, notes = self.working, []
        merged: list[ProfileId] = []
        if origin is None:
            root = target = working.create(stamp)
            notes.append(HistoryNote(origin=target.id, stamp=stamp, kind=HistoryKind.CREATED, keys=[]))
        else:
            target = self.state.profiles[origin]
            root = choice.candidate.roots[0]
            if len(choice.candidate.roots) > 1:
                root, merged = working.merge(choice.candidate.roots, stamp)
                notes += [
                    HistoryNote(origin=target.id, stamp=stamp, kind=HistoryKind.MERGED, keys=[], other=id_)
                    for id_ in merged
                ]
        for identifier in choice.candidate.fresh:
            working.gain(identifier, target, root, call, stamp)
        if choice.candidate.fresh:
            keys = [i.key for i in choice.candidate.fresh]
            notes.append(HistoryNote(origin=target.id, stamp=stamp, kind=HistoryKind.IDENTIFIERS_GAINED, keys=keys))
        linked = choice.decision.link
        if linked is not None and linked.type == USER_ID and working.retire(linked.key, root):
            notes.append(
                HistoryNote(origin=target.id, stamp=stamp, kind=HistoryKind.IDENTIFIER_RETIRED, keys=[linked.key])
            )
        return root, target, merged, notes

    def _announce(self, root: Profile, merged: Sequence[ProfileId], stamp: Stamp, *, changed: bool) -> None:
        """Record the changes that a destination can see for the feed."""
        if changed:
            root.version += 1
            self.plan.upserts[root.canonical] = FeedChange(
                op=FeedOperation.UPSERT, profile=root.canonical, version=root.version, stamp=stamp
            )
        for id_ in merged:
            self.plan.upserts.pop(id_, None)
            self.plan.merges.append(
                FeedChange(op=FeedOperation.MERGE, profile=root.canonical, version=root.version, stamp=stamp, other=id_)
            )


def _refusal(call: Call, state: PlannerState) -> str | None:
    """Why a decision of Onefold's users has no effect: a departure under a hold, the confirmation of a decided join."""
    if state.is_under_hold(call):
        return UNDER_HOLD
    return JOIN_NOT_WAITING if call.kind == "confirm" and call.body.get("join") in (state.decided_joins or ()) else None


def _with_proof_of(identifiers: Sequence[Identifier], call: Call) -> Call:
    """The call without its proof where the user id of the proof, on which the rest rests, is suppressed or blocked."""
    if call.proof is None or any(each.type == USER_ID and call.vouches_for(each) for each in identifiers):
        return call
    return structs.replace(call, proof=None)
