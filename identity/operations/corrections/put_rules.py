"""Reads and replaces the rules of a space."""

import time

from identity.planning.resolution.resolution_rules import Rules, compile_rules
from identity.spaces.space import Space
from identity.store.corrections import rules as stored
from identity.store.ledger import ledger
from identity.store.postgres import space_lock
from identity.values.stamps import SLOT_BITS, SLOTS


async def get_rules(space: Space) -> Rules:
    """The rules in force, with their defaults filled in."""
    async with space.database.reading() as connection:
        version = (await space_lock.read(connection, space.tenant.id)).rules_version
    return await space.rules(version)


def require_valid(document: object) -> None:
    """Raises BadRules if a document is not valid."""
    compile_rules(document, 0)


async def put_rules(space: Space, document: object, actor: str) -> int:
    """Puts a whole document in force and returns its version. BadRules if it is not valid.

    Every call that is answered later was planned under this version.
    """
    compile_rules(document, 0)
    async with space.database.transaction() as connection:
        held = await space_lock.hold(connection, space.tenant.id)
        version = held.rules_version + 1
        rules = compile_rules(document, version)
        stamp = max(held.stamp + SLOTS, time.time_ns() // 1000 << SLOT_BITS)
        await stored.write(connection, space.tenant.id, version, space.seal_rules(rules), stamp, actor)
        await ledger.note(connection, space.tenant.id, actor, "rules.put", str(version))
    await space.rules(version)
    return version
