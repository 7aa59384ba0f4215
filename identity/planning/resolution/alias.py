"""Decides whether an alias call links its previous id to its user id (docs/merging-rules.md §4).

An alias never gives the id of one known person to another without a server-side key and `force`. An alias
links two ids by name and not by sighting: merge limits do not apply to the pair, so this rule protects both
people.
"""

from msgspec import Struct

from identity.planning.resolution.planner_state import PlannerState
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Call, Identifier
from identity.values.enums import UnlinkedReason
from identity.values.identifiers import USER_ID

BOTH_KNOWN = "alias_both_known"
NEEDS_SERVER_KEY = "alias_needs_server_key"


class AliasDecision(Struct, frozen=True):
    """The decision about a previous id: link, demotion with a reason, or neither.

    `assumes_unknown`: the decision depends on an identifier that no profile holds and that the call does not link.
    """

    link: Identifier | None = None
    demoted: Identifier | None = None
    reason: str = ""
    forced: bool = False
    assumes_unknown: bool = False


def decide_alias(call: Call, user: Identifier | None, state: PlannerState, rules: Rules) -> AliasDecision:  # noqa: PLR0911 (a rule each)
    """Decide about the previous id of a call; `user` is the user id of the call where that id is usable."""
    alias = call.alias
    if alias is None or user is None:
        return AliasDecision()
    previous, assumes_unknown = _reading(call, state)
    if previous is None or previous.key == user.key:
        return AliasDecision()
    named, owner = state.root_of(previous.key), state.root_of(user.key)
    if named is not None and named is owner:
        return AliasDecision(assumes_unknown=assumes_unknown)
    is_user = previous.type == USER_ID
    if is_user and not (call.source.server or rules.alias_rename == "any"):
        return AliasDecision(
            demoted=previous, reason=NEEDS_SERVER_KEY, assumes_unknown=assumes_unknown or named is None
        )
    pair, bars = ((user, owner), (previous, named)), rules.public.bars
    claimed = next((each for each, root in pair if root is not None and bars(call, each)), None)
    if claimed is not None:
        unknown = assumes_unknown or named is None or owner is None
        return AliasDecision(demoted=claimed, reason=UnlinkedReason.NEEDS_PROOF, assumes_unknown=unknown)
    forced = False
    if named is not None and named.folded.live:
        if not is_user:
            return AliasDecision(demoted=previous, reason=BOTH_KNOWN, assumes_unknown=assumes_unknown)
        if owner is not None and owner.folded.live:
            if not (alias.force and call.source.server):
                return AliasDecision(demoted=previous, reason=BOTH_KNOWN, assumes_unknown=assumes_unknown)
            forced = True
    return AliasDecision(link=previous, forced=forced, assumes_unknown=assumes_unknown)


def _reading(call: Call, state: PlannerState) -> tuple[Identifier | None, bool]:
    """The identifier that `previousId` names, and whether the other reading has to be unknown for it."""
    alias = call.alias
    if alias is None:
        return None, False
    user, anonymous = alias.user, alias.anonymous
    if user is not None and user.key in state.owners:
        return user, False
    if anonymous is not None and anonymous.key in state.owners:
        return anonymous, user is not None
    assumed = user if alias.assumed == USER_ID else anonymous
    return assumed, user is not None and anonymous is not None
