"""Folds the traits, consent, signals and membership of a call into documents.

Only an identify sets traits of a profile, only a group call traits of a group. The document of the target
origin changes in place, and exists only once it has content, so an origin without content takes no room.
"""

from collections.abc import Callable

from identity.planning.consent.withdrawals import consent_entries, withdraws
from identity.planning.resolution.fold_documents import (
    FoldResult,
    merge_decisions,
    merge_membership,
    merge_signals,
    merge_traits,
)
from identity.planning.resolution.plan import MembershipChange, Plan
from identity.planning.resolution.planner_state import GroupState, PlannerState, Profile
from identity.planning.resolution.rules.trait_rules import TraitRules
from identity.values.calls import Call
from identity.values.documents import Document
from identity.values.ids import GroupRowId, ProfileId
from identity.values.stamps import Stamp


def apply_call(
    call: Call,
    target: Profile,
    stamp: Stamp,
    state: PlannerState,
    plan: Plan,
    fresh_id: Callable[[], ProfileId],
    rules: TraitRules,
) -> FoldResult:
    """Fold a call into the document of its target origin and into its group."""
    if not call.traits and not call.consent and not call.signals and call.group is None:
        return FoldResult()
    document = state.documents.get(target.id) or Document()
    result = FoldResult()
    if call.traits:
        proven = call.proof.traits if call.proof is not None else ()
        result = merge_traits(document, call.traits, call.time, stamp, rules, server=call.source.server, proven=proven)
    if call.consent or call.signals:
        result |= _apply_consent(call, document, target, stamp, plan)
    if call.group is not None:
        member = call.kind != "leave"
        joined = merge_membership(document, call.group, call.time, stamp, member=member, server=call.source.server)
        result |= joined
        if joined.refused:
            # An erasure finds the people who stated traits of a group among its members. So a person whose document
            # has no room for the membership states no traits.
            result |= FoldResult(refused=list(call.group_traits or ()))
        if joined.stored:
            at = call.group_key, target.id
            plan.memberships[at] = MembershipChange(*at, member, call.time, stamp)
    if result.stored:
        state.documents[target.id] = plan.documents[target.id] = document
    if call.kind == "group" and call.group is not None and call.group not in result.refused:
        result |= _apply_group_call(call, call.group, stamp, state, plan, fresh_id)
    return result


def _apply_consent(call: Call, document: Document, target: Profile, stamp: Stamp, plan: Plan) -> FoldResult:
    """Fold the consent of a call into a document; a call that withdraws consent of a stored origin is noted."""
    before = None if target.id in plan.created else consent_entries(document)
    result = FoldResult()
    if call.consent:
        result |= merge_decisions(document, call.consent, call.time, stamp, server=call.for_person, device=call.device)
    if call.signals:
        result |= merge_signals(document, call.signals, stamp, device=call.device)
    if before is not None and withdraws(before, document):
        plan.withdrawn.add(stamp)
    return result


def _apply_group_call(
    call: Call, group: str, stamp: Stamp, state: PlannerState, plan: Plan, fresh_id: Callable[[], ProfileId]
) -> FoldResult:
    """Fold a group call into its group; no profile shows the traits of a group."""
    group_state = state.groups.get(call.group_key)
    created = group_state is None
    if group_state is None:
        group_state = GroupState(GroupRowId(fresh_id()), group, Document())
        state.groups[call.group_key] = group_state
    result = merge_traits(group_state.document, call.group_traits or {}, call.time, stamp)
    if created or result.stored:
        plan.groups[call.group_key] = group_state
    return FoldResult(created or result.stored, False, result.refused)
