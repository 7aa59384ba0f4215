"""What a call tells of the profile it lands on: traits, consent, membership.

Documents are folded in place at the call's target origin; a document exists only once it has
content. Only an identify sets traits of a profile, only a group call those of a group.
"""

from collections.abc import Callable

from identity.model import Call
from identity.planning.plan import Membership, Plan
from identity.planning.state import Account, Document, Neighbourhood, Profile
from identity.planning.traits import decide, join_group, put


def tell(
    call: Call, target: Profile, stamp: int, around: Neighbourhood, plan: Plan, fresh_id: Callable[[], bytes]
) -> tuple[bool, list[str]]:
    """Folds a call into its target's document and its group's.

    Returns whether anything changed that a reader could see, and the names that found no room.
    """
    if not call.traits and not call.consent and call.group is None:
        return False, []
    document = around.documents.get(target.id) or Document()
    changed = False
    ignored: list[str] = []
    if call.traits:
        changed, ignored = put(document, call.traits, call.time, stamp)
    if call.consent:
        decided, full = decide(document, call.consent, call.time, stamp)
        changed |= decided
        ignored += full
    if call.group is not None:
        joined, full = join_group(document, call.group, call.time, stamp)
        changed |= joined
        ignored += full
        if not full:
            plan.memberships[call.group_key, target.id] = Membership(call.group_key, target.id)
    if changed:
        around.documents[target.id] = plan.documents[target.id] = document
    if call.group is not None:
        grown, full = _tell_group(call, call.group, stamp, around, plan, fresh_id)
        changed |= grown
        ignored += full
    return changed, ignored


def _tell_group(
    call: Call, group: str, stamp: int, around: Neighbourhood, plan: Plan, fresh_id: Callable[[], bytes]
) -> tuple[bool, list[str]]:
    account = around.accounts.get(call.group_key)
    created = account is None
    if account is None:
        account = Account(fresh_id(), group, Document())
        around.accounts[call.group_key] = account
    changed, ignored = put(account.document, call.group_traits or {}, call.time, stamp)
    if created or changed:
        plan.accounts[call.group_key] = account
    return created or changed, ignored
