"""The identifiers that a stored call named: its body is read as it was read on arrival."""

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall, source
from identity.spaces.blind_indexes import index_call
from identity.spaces.space import Space
from identity.values.calls import STORED_KINDS, Identifier, demoted_identifiers
from identity.values.errors import BadCall
from identity.values.ids import BlindIndex


def identifiers_of(kept: StoredCall, rules: Rules) -> list[Identifier]:
    """Every identifier that a stored call named, linked or not. BadCall."""
    call = extract(
        kept.body,
        kind=STORED_KINDS[kept.kind],
        rules=rules,
        received=kept.received,
        sent_at=None,
        source=source(kept),
        token=kept.token,
    )
    alias = call.alias
    previous = [] if alias is None else [i for i in (alias.user, alias.anonymous, alias.to) if i is not None]
    return [*call.identifiers, *demoted_identifiers(call), *call.unlinked, *previous]


def identifiers_by_key(space: Space, kept: StoredCall, rules: Rules) -> dict[BlindIndex, tuple[str, str]]:
    """The same by every blind index that each may have."""
    return {
        key: (each.type, each.value)
        for each in identifiers_of(kept, rules)
        for key in space.keys.identifiers(each.type, each.value)
    }


def plain_call_keys(space: Space, kept: StoredCall, rules: Rules) -> list[BlindIndex]:
    """The keys of the identifiers of a plain call, that of the identifier that found its profile first.

    A plain call demoted no identifier, so under the rules of its time these are the ones that it kept.
    """
    try:
        call = extract(
            kept.body,
            kind=STORED_KINDS[kept.kind],
            rules=rules,
            received=kept.received,
            sent_at=None,
            source=source(kept),
            token=kept.token,
        )
    except BadCall:
        return []
    usable = [i for i in call.identifiers if i.type in space.codes]
    ranked = sorted(usable, key=lambda identifier: rules.rank(identifier.type))
    return [space.keys.identifier(each.type, each.value) for each in ranked]


def alias_keys(space: Space, kept: StoredCall, rules: Rules) -> tuple[list[BlindIndex], BlindIndex | None]:
    """The keys of the previous id of a stored alias call in both readings, and of the id it was linked to."""
    call = extract(
        kept.body,
        kind=STORED_KINDS[kept.kind],
        rules=rules,
        received=kept.received,
        sent_at=None,
        source=source(kept),
        token=kept.token,
    )
    index_call(space.keys, call, set())
    if call.alias is None or call.alias.to is None:
        return [], None
    return [i.key for i in (call.alias.user, call.alias.anonymous) if i is not None], call.alias.to.key
