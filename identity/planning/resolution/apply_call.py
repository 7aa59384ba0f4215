"""What a call tells of the profile it lands on: traits, consent, membership.

Documents are folded in place at the call's target origin; a document exists only once it has
content. Only an identify sets traits of a profile, only a group call those of a group.
"""

from collections.abc import Callable

from identity.planning.resolution.document import (
    FoldResult,
    merge_decisions,
    merge_membership,
    merge_signals,
    merge_traits,
)
from identity.planning.resolution.plan import MembershipChange, Plan
from identity.planning.resolution.planner_state import GroupState, PlannerState, Profile
from identity.values.calls import Call
from identity.values.documents import Document


def apply_call(
    call: Call, target: Profile, stamp: int, around: PlannerState, plan: Plan, fresh_id: Callable[[], bytes]
) -> FoldResult:
    """Folds a call into its target's document and its group's."""
    if not call.traits and not call.consent and not call.signals and call.group is None:
        return FoldResult()
    document = around.documents.get(target.id) or Document()
    told = FoldResult()
    if call.traits:
        told = merge_traits(document, call.traits, call.time, stamp)
    if call.consent:
        told |= merge_decisions(document, call.consent, call.time, stamp, server=call.source.server)
    if call.signals:
        told |= merge_signals(document, call.signals, call.time, stamp)
    if call.group is not None:
        member = call.kind != "leave"
        joined = merge_membership(document, call.group, call.time, stamp, member=member)
        told |= joined
        if joined.stored:
            at = call.group_key, target.id
            plan.memberships[at] = MembershipChange(*at, member, call.time, stamp)
    if told.stored:
        around.documents[target.id] = plan.documents[target.id] = document
    if call.kind == "group" and call.group is not None:
        told |= _apply_group_call(call, call.group, stamp, around, plan, fresh_id)
    return told


def _apply_group_call(
    call: Call, group: str, stamp: int, around: PlannerState, plan: Plan, fresh_id: Callable[[], bytes]
) -> FoldResult:
    """Folds a group call into its group, whose traits are no part of what a profile shows."""
    account = around.accounts.get(call.group_key)
    created = account is None
    if account is None:
        account = GroupState(fresh_id(), group, Document())
        around.accounts[call.group_key] = account
    told = merge_traits(account.document, call.group_traits or {}, call.time, stamp)
    if created or told.stored:
        plan.accounts[call.group_key] = account
    return FoldResult(created or told.stored, False, told.refused)
