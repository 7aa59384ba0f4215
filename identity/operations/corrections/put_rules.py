"""Reading and replacing the rules of a space."""

import time
from typing import Any

from identity.planning.resolution.resolution_rules import compile_rules
from identity.spaces.space import Space
from identity.store.corrections import rules as stored
from identity.store.ledger import ledger


async def get_rules(space: Space) -> dict[str, Any]:
    """The whole document in force, defaults filled in, with its `version`."""
    async with space.database.reading() as connection:
        version = await stored.current(connection, space.tenant.id)
    rules = await space.rules(version)
    return {**rules.document(), "version": version}


def check(document: object) -> None:
    """BadRules if a document is not valid."""
    compile_rules(document, 0)


async def put_rules(space: Space, document: object, actor: str) -> int:
    """Puts a whole document in force and returns its version. BadRules if it is not valid.

    Every call that is answered after this was planned under it.
    """
    compile_rules(document, 0)
    async with space.database.transaction() as connection:
        version, stamp = await stored.next_version(connection, space.tenant.id)
        rules = compile_rules(document, version)
        stamp = max(stamp + 256, time.time_ns() // 1000 << 8)
        await stored.write(connection, space.tenant.id, version, space.seal_rules(rules), stamp, actor)
        await ledger.note(connection, space.tenant.id, actor, "rules.put", str(version))
    await space.rules(version)
    return version
