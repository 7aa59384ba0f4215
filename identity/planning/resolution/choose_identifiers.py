"""Chooses which identifiers of a call are kept, demoted and taken over, one after the other by priority.

A server key takes an identifier over that another profile has by the claim of a public key alone, and so does an
identity token that names the identifier.

One that connects too many others is demoted, such as one Build.ID of all phones or one number of all branches. An
identifier outside `priority` names a device, a browser or an account of another system. Several people may have the
same one, so it brings together at most `shared_limit` identifiers of another type. Beyond that the identifier is
demoted and not the ones that it would join: they are innocent.
"""

from msgspec import Struct
from msgspec.structs import replace

from identity.planning.resolution.alias import AliasDecision, decide_alias
from identity.planning.resolution.merge_limits import SEPARATED, Candidate, misfit, over, separated, united, unproven
from identity.planning.resolution.plan import Plan
from identity.planning.resolution.planner_state import PlannerState, Profile
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Call, DemotedIdentifier, Identifier
from identity.values.enums import UnlinkedReason
from identity.values.identifiers import USER_ID
from identity.values.ids import BlindIndex


class OverConnectedType(Struct, frozen=True):
    """The type with too many identifiers in a union, and the identifiers that would join them."""

    type: str
    identifiers: list[Identifier]


class Choice(Struct):
    """The decision on the identifiers of a call: the candidate to place, the demoted ones, the alias.

    `taken` are the fresh identifiers that another profile has by the claim of a public key.
    """

    candidate: Candidate
    decision: AliasDecision = AliasDecision()
    demoted: list[DemotedIdentifier] = []
    taken: dict[BlindIndex, Identifier] = {}


class Chooser:
    """Chooses for the calls of one plan, whose state it reads."""

    def __init__(self, state: PlannerState, rules: Rules, plan: Plan) -> None:
        self.state = state
        self.rules = rules
        self.plan = plan

    def choose(self, call: Call, identifiers: list[Identifier]) -> Choice:
        """Keep identifiers greedily by priority: one that does not fit is demoted, the others go on.

        A kept identifier that would connect too much with a weaker one is demoted after all. `identifiers` are those of
        the call by priority, and so are the kept ones.
        """
        state, choice = self.state, Choice(Candidate())
        if call.alias is None and identifiers:
            # Most calls: every identifier is known and of one profile. Links are never checked again.
            root = state.root_of(identifiers[0].key)
            one = root is not None and all(state.root_of(each.key) is root for each in identifiers)
            if root is not None and one and not all(self.rules.public.bars(call, each) for each in identifiers):
                return Choice(Candidate(kept=identifiers, roots=[root]))
        identifiers = self.rules.public.claimable_first(call, identifiers)
        if (call.source.server or call.proof) and len(identifiers) > 1:
            identifiers = sorted(identifiers, key=lambda each: self._turn(call, each))
        if call.alias is not None:
            identifiers = self._pair(call, identifiers, choice)
        for identifier in identifiers:
            while (demoted := self._keep(call, identifier, choice)) and demoted[0].identifier is not identifier:
                choice.demoted += demoted
                choice.candidate = choice.candidate.without([each.identifier for each in demoted])
            if demoted:
                choice.demoted += demoted
                self.plan.assumes_unknown |= state.root_of(identifier.key) is None
        if call.alias is not None or not self.rules.public.trusted:
            by_rank = sorted(choice.candidate.kept, key=lambda each: self.rules.rank(each.type))
            choice.candidate = replace(choice.candidate, kept=by_rank)
        return choice

    def _keep(self, call: Call, identifier: Identifier, choice: Choice) -> list[DemotedIdentifier]:
        """Keep one more identifier, or return what has to be demoted: the identifier, or kept ones in its way."""
        root = self.state.root_of(identifier.key)
        # What was kept may be demoted by now; without the rest of the call nothing is taken over.
        choice.taken.pop(identifier.key, None)
        candidate = choice.candidate.add(identifier, root)
        if root is None or not choice.candidate.joins(root):
            if root is not None and self.rules.public.bars(call, identifier):
                return [DemotedIdentifier(identifier, UnlinkedReason.NEEDS_PROOF)]
            if root is not None and choice.candidate.kept and self._lets_go(call, identifier, root):
                if root.id in self.state.under_hold:
                    return [DemotedIdentifier(identifier, UnlinkedReason.UNDER_HOLD)]
                choice.taken[identifier.key] = identifier
                candidate = choice.candidate.add(identifier, None)
            if unproven(candidate, call, self.rules.traits.guarded):
                return [DemotedIdentifier(identifier, UnlinkedReason.NEEDS_PROOF)]
            shared = over_connected(candidate, identifier, self.rules)
            if shared is not None and not any(each is identifier for each in shared.identifiers):
                return [DemotedIdentifier(each, f"limit:{shared.type}") for each in shared.identifiers]
            reason = misfit(candidate, call.time, self.rules, self.state.cuts)
            if reason is None and shared is not None:
                reason = f"limit:{shared.type}"
            if reason is not None:
                return [DemotedIdentifier(identifier, reason)]
        choice.candidate = candidate
        return []

    def _turn(self, call: Call, identifier: Identifier) -> int:
        """What is proven comes first, the claims among it last; the other identifiers of the call follow."""
        return int(self._is_claim(identifier)) if call.vouches_for(identifier) else 2

    def _is_claim(self, identifier: Identifier) -> bool:
        """Whether an identifier is linked by public keys alone, of a type for which they need proof."""
        root = self.state.root_of(identifier.key)
        claim = root is not None and identifier.key in root.folded.unproven
        return claim and self.rules.public.claimed(identifier.type)

    def _lets_go(self, call: Call, identifier: Identifier, root: Profile) -> bool:
        """Whether a profile has an identifier by a claim alone, and others that the call does not name."""
        if not call.vouches_for(identifier) or call.kind == "leave" or not self._is_claim(identifier):
            return False
        return root.folded.total > sum(self.state.root_of(each.key) is root for each in call.identifiers)

    def _pair(self, call: Call, identifiers: list[Identifier], choice: Choice) -> list[Identifier]:
        """Keep the two ids of an alias first, exempt from limits but not from cuts.

        Returns the other identifiers, which remain to be checked.
        """
        state = self.state
        to = call.alias.to if call.alias is not None else None
        user = next((i for i in identifiers if to is not None and i.key == to.key), None)
        decision = choice.decision = decide_alias(call, user, state, self.rules)
        self.plan.assumes_unknown |= decision.assumes_unknown
        if decision.demoted is not None:
            choice.demoted.append(DemotedIdentifier(decision.demoted, decision.reason))
            identifiers = [i for i in identifiers if i.key != decision.demoted.key]
        previous = decision.link
        if previous is None or user is None:
            return identifiers
        pair = Candidate()
        for identifier in (user, previous):
            pair = pair.add(identifier, state.root_of(identifier.key))
        rest = [i for i in identifiers if i.key not in (user.key, previous.key)]
        claim = unproven(pair, call, self.rules.traits.guarded)
        if claim or separated(pair, state.cuts):
            self.plan.assumes_unknown |= bool(pair.fresh)
            choice.decision = AliasDecision()
            choice.demoted.append(DemotedIdentifier(previous, UnlinkedReason.NEEDS_PROOF if claim else SEPARATED))
            return [user, *rest]
        choice.candidate = pair.exempting(united(pair, previous, call.time, self.rules, state.cuts))
        return rest


def over_connected(candidate: Candidate, added: Identifier, rules: Rules) -> OverConnectedType | None:
    """What connects too much in a candidate, with `added` as its last identifier; None where nothing does.

    A union by `user_id`, `email` or another type of `priority` is not limited here. Beside such an identifier, a weak
    one may still not bring too many of these types together. `user_id` and types with a window have limits of their
    own.
    """
    if rules.is_strong(added.type):
        return None
    checked = candidate.checked()
    if not checked.roots:
        return None
    has_strong = any(rules.is_strong(identifier.type) for identifier in candidate.kept)
    fresh: dict[str, int] = {}
    for identifier in checked.fresh:
        fresh[identifier.type] = fresh.get(identifier.type, 0) + 1
    types = set(fresh)
    if len(checked.roots) > 1:
        types.update(*(root.folded.types for root in checked.roots))
    for type_ in sorted(types, key=rules.rank):
        if type_ == USER_ID or rules.limit(type_).days is not None or (has_strong and not rules.is_strong(type_)):
            continue
        counts = [root.folded.types.get(type_, 0) for root in checked.roots]
        if over(counts, fresh.get(type_, 0), rules.shared_limit.max):
            return OverConnectedType(type_, _connecting(checked, type_, counts, added, has_strong=has_strong))
    return None


def _connecting(
    candidate: Candidate, type_: str, counts: list[int], added: Identifier, *, has_strong: bool
) -> list[Identifier]:
    """The identifiers at the root with the most identifiers of the type; a new identifier is at no root."""
    largest = candidate.roots[counts.index(max(counts))]
    held = [identifier for root, identifier in candidate.seen if root is largest]
    own = next((root for root, identifier in candidate.seen if identifier is added), None)
    if has_strong or (own is not None and own.folded.types.get(type_, 0) == max(counts)):
        return [added]
    return held
