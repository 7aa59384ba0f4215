"""Reads and replaces the rules of a space."""

from collections.abc import Callable

from msgspec import Struct

from identity.planning.corrections.rules_changes import patched, require_shown, reset_fields
from identity.planning.corrections.rules_patterns import require_narrow_patterns
from identity.planning.corrections.rules_traits import require_trait_names, unprotected
from identity.planning.corrections.rules_types import require_types, types_of
from identity.planning.resolution.resolution_rules import Rules, compile_rules
from identity.spaces.named_identifiers import known_types
from identity.spaces.space import Space
from identity.store.corrections import rules as stored
from identity.store.ledger import ledger
from identity.store.postgres import space_lock
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import SLOTS, Stamp, first_stamp, wall_time


async def get_rules(space: Space) -> Rules:
    """The rules in force, with their defaults filled in."""
    heads = space.heads
    async with space.database.reading() as connection:
        version = (await space_lock.read(connection, space.tenant.id)).rules_version
    heads.require_rules(version)
    return await space.rules(version)


async def require_valid(space: Space, document: object) -> None:
    """Raises BadRules if a document is not valid or names a type that is probably misspelt."""
    rules, current = compile_rules(document, 0), await get_rules(space)
    require_shown(document, current.version)
    require_trait_names(document, current)
    if rules.patterns != current.patterns:
        require_narrow_patterns(rules)
    require_types(rules, await known_types(space))


class ChangedRules(Struct, frozen=True):
    """The version of the rules in force, the same as before if nothing changed.

    `reset` names the fields (`field` or `field.type`) that were set back to their defaults, `unprotected` the traits
    that public keys may change now.
    """

    version: int
    reset: list[str]
    unprotected: list[str]


async def put_rules(space: Space, document: object, actor: str) -> ChangedRules:
    """Put a whole document in force. BadRules if it is not valid, or states placeholders or a version of its own.

    Every call that is answered later was planned under this version.
    """
    compile_rules(document, 0)
    return await _change(space, lambda _: document, actor)


async def patch_rules(space: Space, patch: object, actor: str) -> ChangedRules:
    """Change some fields of the rules in force. BadRules if the result is not valid."""
    return await _change(space, lambda before: patched(before, patch), actor)


async def _change(space: Space, document_of: Callable[[Rules], object], actor: str) -> ChangedRules:
    # Before the transaction: waiting for a second connection while holding the first could block for ever.
    known = await known_types(space)
    async with space.database.transaction() as connection:
        lock_row = await space_lock.take_exclusive(connection, space.tenant.id)
        space.heads.require_rules(lock_row.rules_version)
        before = await space.rules(lock_row.rules_version, connection)
        version = lock_row.rules_version + 1
        document = document_of(before)
        rules = compile_rules(document, version)
        require_shown(document, before.version)
        require_trait_names(document, before)
        if rules.patterns != before.patterns:
            require_narrow_patterns(rules)
        require_types(rules, {*known, *types_of(before)})
        reset = reset_fields(before, document if isinstance(document, dict) else {}, rules)
        if rules.document() == before.document():
            return ChangedRules(before.version, reset, [])
        stamp = max(Stamp(lock_row.stamp + SLOTS), first_stamp(wall_time()))
        sealed = space.seal_rules(rules)
        await stored.write(connection, space.tenant.id, version, sealed, stamp, actor)
        more = ledger.documented(sealed, stamp=stamp)
        await ledger.note(connection, space.tenant.id, actor, LedgerAction.RULES_PUT, str(version), more)
    await space.publish()
    await space.rules(version)
    return ChangedRules(version, reset, unprotected(before, rules))
