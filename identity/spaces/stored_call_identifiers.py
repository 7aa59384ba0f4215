"""What a stored call named, found again by reading its body as it was read when it arrived."""

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import Kept, source
from identity.spaces.space import Space
from identity.values.calls import STORED_KINDS, Identifier
from identity.values.errors import BadCall


def identifiers_of(kept: Kept, rules: Rules) -> list[Identifier]:
    """Everything a stored call named, linked or not. BadCall."""
    call = extract(
        kept.body, kind=STORED_KINDS[kept.kind], rules=rules, received=kept.received, sent_at=None, source=source(kept)
    )
    alias = call.alias
    previous = [] if alias is None else [i for i in (alias.user, alias.anonymous, alias.to) if i is not None]
    return [*call.identifiers, *(skipped.identifier for skipped in call.skipped), *call.unlinked, *previous]


def identifiers_by_key(space: Space, kept: Kept, rules: Rules) -> dict[bytes, tuple[str, str]]:
    """The same by each key it may have: a demoted identifier belongs to nobody here."""
    return {
        key: (each.type, each.value)
        for each in identifiers_of(kept, rules)
        for key in space.keys.identifiers(each.type, each.value)
    }


def strongest_key(space: Space, kept: Kept, rules: Rules) -> bytes | None:
    """The key of the identifier that a plain call landed by: of those it named, the first by priority.

    A plain call demoted none of them, so under the rules of its time this is the one it kept first.
    """
    try:
        call = extract(
            kept.body,
            kind=STORED_KINDS[kept.kind],
            rules=rules,
            received=kept.received,
            sent_at=None,
            source=source(kept),
        )
    except BadCall:
        return None
    usable = [i for i in call.identifiers if i.type in space.codes]
    if not usable:
        return None
    first = min(usable, key=lambda identifier: rules.rank(identifier.type))
    return space.keys.identifier(first.type, first.value)


def alias_keys(space: Space, kept: Kept, rules: Rules) -> tuple[list[bytes], bytes | None]:
    """The readings of the previous id of a stored alias call, and the id it became a name of."""
    call = extract(
        kept.body, kind=STORED_KINDS[kept.kind], rules=rules, received=kept.received, sent_at=None, source=source(kept)
    )
    space.index(call, set())
    if call.alias is None or call.alias.to is None:
        return [], None
    return [i.key for i in (call.alias.user, call.alias.anonymous) if i is not None], call.alias.to.key
