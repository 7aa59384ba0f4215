"""The rows that a key roll goes through: the epoch of a space, and its slot keys one by one."""

from identity.errors import SpaceNotFound
from identity.store.database import Connection, row, rows

_FAIR_ALONE = "SELECT pg_advisory_xact_lock(7301, $1::int4)"


async def raise_epoch(connection: Connection, space_id: int, expected: int) -> bool:
    """Under the gate held alone: from now on new slot keys are made under the next epoch."""
    await connection.execute(_FAIR_ALONE, [space_id])
    found = await row(
        connection,
        "UPDATE space_gate SET epoch = epoch + 1 WHERE space_id = $1::int4 AND epoch = $2::int4 RETURNING epoch",
        space_id,
        expected,
    )
    return found is not None


async def epoch(connection: Connection, space_id: int) -> int:
    """The epoch in force."""
    found = await row(connection, "SELECT epoch FROM space_gate WHERE space_id = $1::int4", space_id)
    if found is None:
        raise SpaceNotFound
    return int(found[0])


async def older_slots(connection: Connection, space_id: int, than: int) -> list[int]:
    """The slots still wrapped under an epoch before this one."""
    found = await rows(
        connection,
        "SELECT slot FROM slot_key WHERE space_id = $1::int4 AND epoch < $2::int4 ORDER BY slot",
        space_id,
        than,
    )
    return [slot for (slot,) in found]


async def lock_slot(connection: Connection, space_id: int, slot: int) -> tuple[int, bytes]:
    """A slot's epoch and wrapped key, locked against every writer that mints under it."""
    found = await row(
        connection,
        "SELECT epoch, wrapped FROM slot_key WHERE space_id = $1::int4 AND slot = $2::int2 FOR UPDATE",
        space_id,
        slot,
    )
    if found is None:
        raise SpaceNotFound
    return int(found[0]), bytes(found[1])


async def write_slot(connection: Connection, space_id: int, slot: int, epoch_: int, wrapped: bytes) -> None:
    """The slot's key under its new epoch."""
    await connection.execute(
        "UPDATE slot_key SET epoch = $3::int4, wrapped = $4 WHERE space_id = $1::int4 AND slot = $2::int2",
        [space_id, slot, epoch_, wrapped],
    )
