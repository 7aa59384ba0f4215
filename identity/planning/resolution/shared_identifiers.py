"""Finds the identifier that connects too many others: one Build.ID of all phones, one number of all branches.

An identifier outside `priority` names a device, a browser or an account of another system. Several people may have
the same one, so it brings together at most `shared_limit` identifiers of another type. Beyond that the identifier
is demoted and not the ones that it would join: they are innocent.
"""

from msgspec import Struct

from identity.planning.resolution.merge_limits import Candidate, over
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Identifier
from identity.values.identifiers import USER_ID


class OverConnectedType(Struct, frozen=True):
    """The type with too many identifiers in a union, and the identifiers that would join them."""

    type: str
    identifiers: list[Identifier]


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
