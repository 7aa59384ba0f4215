"""Giving up an erasure that waits for a hold: whoever was withheld for it is read again, and comes in again.

Unless somebody else asked for them to be erased too, or for one of their identifiers to be suppressed.
"""

from collections.abc import Awaitable, Callable

from identity.operations.privacy.person import open_person
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive_with
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.rows import ChangeRow
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erase, erasures, suppressions
from identity.store.privacy.erasures import ErasureRow
from identity.values.enums import ErasureState, FeedOperation
from identity.values.ids import public
from identity.values.stamps import stamp_time


async def give_up(writer: WriterConnection, space: Space, row: ErasureRow, actor: str) -> None:
    """Ends what a cancelled erasure did to whoever bears its identifier; done again it is done."""
    await run_exclusive_with(writer, space, (), _deciding(row.id, actor))


def _deciding(id_: bytes, actor: str) -> Callable[[ExclusiveSpace], Awaitable[SpaceChange[None]]]:
    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[None]:
        connection, tenant = exclusive.connection, exclusive.space.tenant
        row = await erasures.get(connection, tenant, id_)
        if row is None or row.state != ErasureState.CANCELLED:
            return SpaceChange(None)
        await exclusive.load_owners([row.key])
        row = await erasures.get(connection, tenant, id_) or row
        if row.key not in exclusive.owners:
            return SpaceChange(None)
        person = await open_person(exclusive, row.key)
        if not await erase.on_hold(connection, tenant, person.ids):
            return SpaceChange(None)
        gone = person.gone(row.key, row.hash)
        if await erasures.any_on_hold(connection, tenant, gone.indexes):
            return SpaceChange(None)
        kept = await erasures.suppressed(connection, tenant, gone.hashes)
        hashes = [hash_ for hash_ in gone.hashes if hash_ not in kept]
        stamp = exclusive.stamps(max(exclusive.gate.stamp, *(each.stamp for each in person.rows)))
        await erase.take_off_hold(connection, tenant, person.ids)
        await suppressions.lift(connection, tenant, hashes)
        said = {"profiles": [each.hex() for each in person.ids], "hashes": [each.hex() for each in hashes]}
        writes = Writes(gate=stamp, lane=exclusive.lane)
        version, canonical = person.head.version + 1, person.head.canonical
        merged = [id_ for id_ in person.ids if id_ != canonical]
        writes.changes = [ChangeRow(FeedOperation.UPSERT, version, stamp, canonical, None)]
        writes.changes += [ChangeRow(FeedOperation.MERGE, version, stamp, canonical, other) for other in merged]
        writes.ledger = [ledger.entry(actor, "withhold.end", public("ers", id_), stamp_time(stamp), said)]
        return SpaceChange(None, writes)

    return decide
