"""Answers where the types of a space come from, and refuses those of a rules document that are probably misspelt.

A rule for a type makes the type known, so a slip would be a rule for nobody, and later requests with the same slip
would look carried out. A type is taken that a call has brought, or that the rules in force name: the customer has it.
"""

from collections.abc import Collection, Iterator

from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.rules.rules_fields import EVERY_TYPE
from identity.values.calls import Source
from identity.values.enums import UnlinkedReason
from identity.values.errors import BadRules
from identity.values.identifiers import BUILT_IN
from identity.values.near_types import GROUP_ID, near_type
from identity.values.unknown_names import other_spelling


def require_types(rules: Rules, known: Collection[str]) -> None:
    """Raise BadRules for the first type that is like a known one; `known` are those of calls and rules in force."""
    taken = {*known, *BUILT_IN, EVERY_TYPE}
    for field, type_ in _by_field(rules):
        if type_ in taken:
            continue
        near = near_type(type_) or _same_letters(type_, taken)
        if near is not None:
            raise BadRules(
                f"{field} names the type {type_}, which no call has brought and which is like {near}. Did you mean "
                f"{near}? To keep {type_}, send a call with an external id of this type first."
            )


def types_of(rules: Rules) -> set[str]:
    """Every type that a rules document names."""
    return {type_ for _, type_ in _by_field(rules)} - {EVERY_TYPE}


def nameable_types(types: Collection[str], source: Source, rules: Rules) -> set[str]:
    """The new types of calls that the space may take: no call makes `group_id` a type of people."""
    return ({*types} if may_name_types(source, rules) else types_of(rules).intersection(types)) - {GROUP_ID}


def refusal_of_type(type_: str, nameable: Collection[str]) -> UnlinkedReason:
    """Why an identifier of a type that the space lacks is not linked."""
    if type_ == GROUP_ID:
        return UnlinkedReason.GROUP_TYPE
    return UnlinkedReason.TOO_MANY_TYPES if type_ in nameable else UnlinkedReason.TYPE_NEEDS_SERVER_KEY


def may_name_types(source: Source, rules: Rules) -> bool:
    """Whether calls of a source bring new types to a space; a public key could use up the types of the space."""
    return source.server or rules.public.trusted


def _by_field(rules: Rules) -> Iterator[tuple[str, str]]:
    yield from (("limits", type_) for type_ in rules.limits)
    yield from (("priority", type_) for type_ in rules.priority)
    yield from (("blocked", type_) for type_ in rules.patterns)
    yield from (("public", type_) for type_ in rules.public.by_type)


def _same_letters(type_: str, known: Collection[str]) -> str | None:
    spelt = other_spelling(type_, known)
    return spelt if spelt is not None and spelt.replace("_", "").replace(".", "") == _joined(type_) else None


def _joined(type_: str) -> str:
    return type_.replace("_", "").replace(".", "")
