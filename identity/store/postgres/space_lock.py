"""The space lock: one row of each space, locked by every transaction that writes there.

Ingest holds the lock shared. A change of what ingest relies on (rules, keys, corrections, erasures) holds it
exclusively, so the state read with the lock stays true to the commit. A deleted space has no row.
"""

from typing import Final, LiteralString, NamedTuple

from identity.store.postgres.database import Connection, row
from identity.values.calls import IndexVersions
from identity.values.errors import SpaceNotFound
from identity.values.ids import SpaceNumber
from identity.values.stamps import Stamp

_COLUMNS: Final[LiteralString] = (
    "stamp, rules_version, epoch, marks, index_version, index_live, index_messages, index_oldest"
)
# Advisory locks that only make waiting fair. Postgres gives a row lock FOR SHARE at once while others share it, even
# where a transaction waits for it FOR UPDATE: a steady flow of batches could keep that transaction waiting for ever.
# Advisory locks are given in the order in which they were asked for. Correctness does not rest on them.
# The same statement shows the transaction the rows of the space, and of no other: a writer of the queue, whose session
# shows none, serves all spaces in turn, and a statement more in every batch would cost more than the policies do.
_ENTER: Final[LiteralString] = "SELECT set_config('onefold.space', $1::int4::text, true)"
FAIR_SHARED: Final[LiteralString] = f"{_ENTER}, pg_advisory_xact_lock_shared(7301, $1::int4)"
FAIR_EXCLUSIVE: Final[LiteralString] = f"{_ENTER}, pg_advisory_xact_lock(7301, $1::int4)"
_READ: Final[LiteralString] = f"SELECT {_COLUMNS} FROM space_gate WHERE space_id = $1::int4"  # noqa: S608 (columns)
LOCK_SHARED: Final[LiteralString] = _READ + " FOR SHARE"
LOCK_EXCLUSIVE: Final[LiteralString] = _READ + " FOR UPDATE"
RAISE_STAMP: Final[LiteralString] = """
UPDATE space_gate SET stamp = $2::int8, marks = marks | $3::int2 WHERE space_id = $1::int4 AND stamp < $2::int8
"""


class SpaceLockRow(NamedTuple):
    """The state of a space: the stamp of the last exclusive change, versions in force, and `SpaceMark`s.

    `newest`, `live`, `messages` and `oldest` are versions of the index key.
    """

    stamp: Stamp
    rules_version: int
    epoch: int
    marks: int
    newest: int = 1
    live: int = 1
    messages: int = 1
    oldest: int = 1

    @property
    def versions(self) -> IndexVersions:
        """The versions of the index key that rows of the space are under."""
        return IndexVersions(self.newest, self.live, self.messages, self.oldest)


async def read(connection: Connection, space_id: SpaceNumber) -> SpaceLockRow:
    """The state of a space, without a lock. SpaceNotFound."""
    return await _state(connection, _READ, space_id)


async def share(connection: Connection, space_id: SpaceNumber) -> SpaceLockRow:
    """Hold the lock shared to the end of the transaction. SpaceNotFound."""
    return await _state(connection, LOCK_SHARED, space_id)


async def share_if_there(connection: Connection, space_id: SpaceNumber) -> bool:
    """Hold the lock shared to the end of the transaction; False where the space is deleted."""
    return await row(connection, LOCK_SHARED, space_id) is not None


async def take_exclusive(connection: Connection, space_id: SpaceNumber) -> SpaceLockRow:
    """Hold the lock exclusively to the end of the transaction. SpaceNotFound."""
    await connection.execute(FAIR_EXCLUSIVE, [space_id])
    return await _state(connection, LOCK_EXCLUSIVE, space_id)


async def create(connection: Connection, space_id: SpaceNumber, stamp: Stamp) -> None:
    """Add the lock of a new space."""
    await connection.execute("INSERT INTO space_gate (space_id, stamp) VALUES ($1::int4, $2::int8)", [space_id, stamp])


async def delete(connection: Connection, space_id: SpaceNumber) -> None:
    """Remove the lock: wait for every writer in the space, and let none in again."""
    await connection.execute(FAIR_EXCLUSIVE, [space_id])
    await connection.execute("DELETE FROM space_gate WHERE space_id = $1::int4", [space_id])


async def raise_stamp(connection: Connection, space_id: SpaceNumber, stamp: Stamp, marks: int) -> None:
    """Raise the stamp and set marks; the caller holds the lock exclusively."""
    await connection.execute(RAISE_STAMP, [space_id, stamp, marks])


async def set_rules_version(connection: Connection, space_id: SpaceNumber, version: int, stamp: Stamp) -> None:
    """Put a version of the rules in force; the caller holds the lock exclusively."""
    await connection.execute(
        "UPDATE space_gate SET rules_version = $2::int4, stamp = $3::int8 WHERE space_id = $1::int4",
        [space_id, version, stamp],
    )


async def set_epoch(connection: Connection, space_id: SpaceNumber, epoch: int) -> None:
    """Set the epoch of the keys; the caller holds the lock exclusively."""
    await connection.execute("UPDATE space_gate SET epoch = $2::int4 WHERE space_id = $1::int4", [space_id, epoch])


async def raise_epoch(connection: Connection, space_id: SpaceNumber, expected: int) -> bool:
    """Start the next epoch, exclusively; False where `expected` is not the epoch in force."""
    await connection.execute(FAIR_EXCLUSIVE, [space_id])
    found = await row(
        connection,
        "UPDATE space_gate SET epoch = epoch + 1 WHERE space_id = $1::int4 AND epoch = $2::int4 RETURNING epoch",
        space_id,
        expected,
    )
    return found is not None


async def _state(connection: Connection, query: LiteralString, space_id: SpaceNumber) -> SpaceLockRow:
    found = await row(connection, query, space_id)
    if found is None:
        raise SpaceNotFound
    return SpaceLockRow(*found)
