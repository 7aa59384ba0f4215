"""Litigation holds: data under a hold is not erased, and only a legal reader sees people whose erasure waits.

The deadline of a waiting request runs on. The end of a hold carries out the erasures that waited for it.
"""

import time
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from identity.operations.privacy.erase_person import erase_person
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erasures, holds
from identity.values.enums import ErasureState
from identity.values.errors import HoldNotFound, TooManyAsked
from identity.values.identifiers import parse
from identity.values.ids import new_id, private, public
from identity.vault.seal import HOLD

MOST_IDENTIFIERS: Final = 5_000
_MOST_WAITING: Final = 1_000_000
_LAST_ID: Final = b"\xff" * 16


class LitigationHold(Struct, frozen=True):
    """A hold in force; `identifiers` is how many it names. `created_at` is microseconds."""

    id: bytes
    created_at: int
    identifiers: int
    reason: str
    actor: str


class ReleasedHold(Struct, frozen=True):
    """A hold that ended at a time (microseconds), and how many erasures waited for that."""

    id: bytes
    released_at: int
    resumed: int


async def place_hold(space: Space, identifiers: Sequence[str], reason: str, actor: str) -> LitigationHold:
    """Hold the data of every person with one of these identifiers, now or when an erasure comes. BadIdentifier."""
    if not 1 <= len(identifiers) <= MOST_IDENTIFIERS:
        raise TooManyAsked
    region = (await space.rules()).region
    named = [parse(text, region) for text in identifiers]
    id_, now = new_id(), time.time_ns() // 1000
    row = holds.HoldRow(
        id=id_,
        created_at=now,
        actor=actor,
        reason=space.keys.seal(HOLD, id_, 0, reason.encode()),
        identifiers=len({each.text for each in named}),
    )

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[None]:
        # The space lock is held alone: an erasure is either done before the hold, or finds it.
        connection = exclusive.connection
        keys = sorted({space.keys.identifier(each.type, each.value) for each in named})
        entry = {"indexes": [key.hex() for key in keys]}
        if all(each.id != id_ for each in await holds.list_holds(connection, space.tenant)):
            await holds.add(connection, space.tenant, row, keys)
            await ledger.append(
                connection, space.tenant.id, *ledger.entry(actor, "hold", public("hld", id_), now, entry)
            )
        return SpaceChange(None, Writes(lock_stamp=exclusive.stamps(exclusive.gate.stamp)))

    await run_exclusive(space, named, decide)
    await space.publish()
    return _hold(space, row)


async def release_hold(space: Space, hold_id: str, actor: str) -> ReleasedHold:
    """End a hold and carry out the erasures that waited for it. HoldNotFound."""
    id_ = private("hld", hold_id)
    now = time.time_ns() // 1000
    async with space.database.transaction() as connection:
        if id_ is None or not await holds.remove(connection, space.tenant, id_):
            raise HoldNotFound
        await ledger.append(connection, space.tenant.id, *ledger.entry(actor, "hold.release", hold_id, now))
    resumed = await resume_held(space, actor)
    await space.publish()
    return ReleasedHold(id_, now, resumed)


async def resume_held(space: Space, actor: str) -> int:
    """Try every erasure that waits for a hold again, oldest first; returns how many there were."""
    async with space.database.reading() as connection:
        waiting = await erasures.newest(connection, space.tenant, ErasureState.ON_HOLD, _LAST_ID, _MOST_WAITING)
    writer = WriterConnection(space.database)
    try:
        for row in reversed(waiting):
            await erase_person(writer, space, row, actor)
    finally:
        await writer.close()
    return len(waiting)


async def list_holds(space: Space) -> list[LitigationHold]:
    """The holds in force, oldest first."""
    async with space.database.reading() as connection:
        rows = await holds.list_holds(connection, space.tenant)
    return [_hold(space, row) for row in rows]


def _hold(space: Space, row: holds.HoldRow) -> LitigationHold:
    return LitigationHold(
        id=row.id,
        created_at=row.created_at,
        identifiers=row.identifiers,
        reason=space.keys.open(HOLD, row.id, 0, row.reason).decode(),
        actor=row.actor,
    )
