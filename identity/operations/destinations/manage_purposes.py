"""The purposes of a space: the document in force, and putting another in its place.

Every request of a destination reads the document anew, so a change is in force in every process once it
is answered. The ledger records every change without its content.
"""

import msgspec

from identity.operations.destinations.repeat_conflicts import REPEAT_CONFLICTS
from identity.planning.consent.alike_purposes import require_distinct_ids
from identity.planning.consent.purposes import Purposes, compile_purposes, require_regions
from identity.spaces.retry import repeat
from identity.spaces.space import Space
from identity.store.destinations import destinations
from identity.store.ledger import ledger
from identity.values.ledger_actions import LedgerAction
from identity.vault.seal import PURPOSES


async def get_purposes(space: Space) -> Purposes:
    """The purposes in force; none, at version 0, before the first document."""
    heads = space.heads
    async with space.database.reading() as connection:
        version, sealed = await destinations.purposes(connection, space.tenant)
    heads.require_purposes(version)
    return open_purposes(space, version, sealed)


async def put_purposes(space: Space, document: object, actor: str) -> int:
    """Put a whole document in force and return its version. BadPurposes."""
    stated = compile_purposes(document, 0)
    require_regions(stated)
    require_distinct_ids(stated)

    async def attempt() -> int:
        version = (await get_purposes(space)).version + 1
        encoded = msgspec.json.encode(stated.document())
        sealed = space.keys.seal(PURPOSES, space.public_id, version, encoded)
        async with space.database.transaction() as connection:
            await destinations.put_purposes(connection, space.tenant, version, sealed, actor)
            more = ledger.documented(sealed)
            await ledger.note(connection, space.tenant.id, actor, LedgerAction.PURPOSES_PUT, str(version), more)
        return version

    version = await repeat(REPEAT_CONFLICTS, attempt)
    space.forget_purposes()
    await space.publish()
    return version


def open_purposes(space: Space, version: int, sealed: bytes | None) -> Purposes:
    """The purposes of a sealed document; none where there is no document."""
    if sealed is None:
        return Purposes()
    return compile_purposes(msgspec.json.decode(space.keys.open(PURPOSES, space.public_id, version, sealed)), version)
