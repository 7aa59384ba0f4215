"""Litigation holds: what is under one is not erased, and nobody but a lawyer reads it meanwhile.

The clock of a request runs on. The end of a hold finishes the erasures that waited for it.
"""

import time
from collections.abc import Sequence
from typing import Any

from identity.operations.privacy.erase_person import erase
from identity.planning.resolution.event_time import format_time
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erasures
from identity.store.privacy import holds as store
from identity.values.enums import ErasureState
from identity.values.errors import HoldNotFound, TooManyAsked
from identity.values.identifiers import parse
from identity.values.ids import new_id, private, public
from identity.vault.seal import HOLD

MOST_ASKED = 5_000
_LAST = b"\xff" * 16


async def hold(space: Space, identifiers: Sequence[str], reason: str, actor: str) -> dict[str, Any]:
    """A hold on whoever bears one of these, now or when an erasure comes. BadIdentifier."""
    if not 1 <= len(identifiers) <= MOST_ASKED:
        raise TooManyAsked
    region = (await space.rules()).region
    named = [parse(text, region) for text in identifiers]
    id_, now = new_id(), time.time_ns() // 1000
    count = len({each.text for each in named})
    row = store.HoldRow(id_, now, actor, space.keys.seal(HOLD, id_, 0, reason.encode()), count)

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[None]:
        # Under the gate held alone: an erasure is either done before it, or finds it.
        connection = exclusive.connection
        keys = sorted({space.keys.identifier(each.type, each.value) for each in named})
        indexes = {"indexes": [key.hex() for key in keys]}
        if all(each.id != id_ for each in await store.list_holds(connection, space.tenant)):
            await store.add(connection, space.tenant, row, keys)
            await ledger.append(
                connection, space.tenant.id, *ledger.entry(actor, "hold", public("hld", id_), now, indexes)
            )
        return SpaceChange(None, Writes(gate=exclusive.stamps(exclusive.gate.stamp)))

    await run_exclusive(space, named, decide)
    await space.publish()
    return _told(space, row)


async def release(space: Space, hold_id: str, actor: str) -> dict[str, Any]:
    """Ends a hold, and finishes what waited for it. HoldNotFound."""
    id_ = private("hld", hold_id)
    now = time.time_ns() // 1000
    async with space.database.transaction() as connection:
        if id_ is None or not await store.remove(connection, space.tenant, id_):
            raise HoldNotFound
        await ledger.append(connection, space.tenant.id, *ledger.entry(actor, "hold.release", hold_id, now))
    resumed = await resume(space, actor)
    await space.publish()
    return {"hold_id": hold_id, "released_at": format_time(now), "resumed": resumed}


async def resume(space: Space, actor: str) -> int:
    """Tries every erasure that a hold holds up again; how many there were."""
    async with space.database.reading() as connection:
        waiting = await erasures.newest(connection, space.tenant, ErasureState.ON_HOLD, _LAST, 1_000_000)
    writer = WriterConnection(space.database)
    try:
        for row in reversed(waiting):
            await erase(writer, space, row, actor)
    finally:
        await writer.close()
    return len(waiting)


async def holds(space: Space) -> list[dict[str, Any]]:
    """The holds that stand, oldest first."""
    async with space.database.reading() as connection:
        return [_told(space, row) for row in await store.list_holds(connection, space.tenant)]


def _told(space: Space, row: store.HoldRow) -> dict[str, Any]:
    return {
        "hold_id": public("hld", row.id),
        "created_at": format_time(row.created_at),
        "identifiers": row.identifiers,
        "reason": space.keys.open(HOLD, row.id, 0, row.reason).decode(),
        "actor": row.actor,
    }
