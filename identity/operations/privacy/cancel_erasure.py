"""Cancels a request whose erasures wait for a hold; the people on hold for them are readable again.

A person stays on hold where another erasure waits for them too, and an identifier stays suppressed where
another request suppressed it by name.
"""

from functools import partial

from identity.operations.privacy.orphaned_calls import OrphanedCalls
from identity.operations.privacy.person import open_person
from identity.operations.privacy.read_requests import get_request
from identity.planning.privacy.cancel_refusals import cancel_refusal
from identity.planning.privacy.privacy_requests import PrivacyRequest
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive_with
from identity.spaces.fold_groups import fold_groups
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.rows import ChangeRow
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erase, erasures, requests, suppressions
from identity.values.enums import ErasureState, FeedOperation
from identity.values.errors import RequestNotFound
from identity.values.ids import ErasureId, RequestId, public
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import stamp_time, wall_time
from identity.vault.vouching.ledger_entries import vouch_for_entry


async def cancel_request(space: Space, request_id: RequestId, actor: str) -> PrivacyRequest:
    """Cancel the waiting erasures of a request.

    RequestNotFound; once any part is done, AlreadyErased, AlreadySuppressed or AlreadyLifted by the kind of request.
    """
    now = wall_time()
    async with space.database.transaction() as connection:
        request = await requests.get(connection, space.tenant, request_id)
        if request is None:
            raise RequestNotFound
        rows = await erasures.by_requests(connection, space.tenant, [request_id])
        if any(row.internal_at is not None for row in rows):
            raise cancel_refusal(request.kind)
        if await erasures.cancel(connection, space.tenant, request_id, now):
            await ledger.note(
                connection, space.tenant.id, actor, LedgerAction.ERASURE_CANCELLED, public("req", request_id)
            )
    async with space.database.reading() as connection:
        on_hold = await erase.erasures_on_hold(connection, space.tenant, [row.id for row in rows])
    writer = WriterConnection(space.database)
    try:
        for row in rows:
            # A row that somebody shows again in the database ends its waiting too, for the journal.
            if row.id in on_hold or row.state == ErasureState.ON_HOLD:
                await end_hold(writer, space, row.id, actor)
    finally:
        await writer.close()
    await space.publish()
    return await get_request(space, request_id)


async def end_hold(writer: WriterConnection, space: Space, erasure_id: ErasureId, actor: str) -> None:
    """Make the person of a cancelled erasure readable again; a second time changes nothing."""
    await run_exclusive_with(writer, space, (), partial(_end_hold, erasure_id, actor))


async def _end_hold(erasure_id: ErasureId, actor: str, exclusive: ExclusiveSpace) -> SpaceChange[None]:
    connection, tenant = exclusive.connection, exclusive.space.tenant
    row = await erasures.get(connection, tenant, erasure_id)
    if row is None or row.state != ErasureState.CANCELLED:
        return SpaceChange(None)
    await exclusive.load_owners([row.key])
    row = await erasures.get(connection, tenant, erasure_id) or row
    if row.key not in exclusive.owners:
        return SpaceChange(None)
    person = await open_person(exclusive, row.key, OrphanedCalls(exclusive.space))
    recorded = exclusive.space.recorded.withholds(person.origin_ids)
    if not recorded and not await erase.profiles_on_hold(connection, tenant, person.origin_ids):
        return SpaceChange(None)
    refs = person.refs(row.key, row.hash)
    if await erasures.on_hold(connection, tenant, refs.indexes):
        return SpaceChange(None)
    kept = await suppressions.requested(connection, tenant, refs.hashes)
    hashes = [hash_ for hash_ in refs.hashes if hash_ not in kept]
    stamp = exclusive.stamps(max(exclusive.lock_row.stamp, *(each.stamp for each in person.origins)))
    await erase.take_off_hold(connection, tenant, person.origin_ids)
    await suppressions.lift(connection, tenant, hashes)
    version, canonical = person.root.version + 1, person.root.canonical
    merged = [id_ for id_ in person.origin_ids if id_ != canonical]
    writes = Writes(lock_stamp=stamp, lane=exclusive.lane)
    new_keys = await exclusive.new_subject_keys()
    folded = await fold_groups(exclusive.space, connection, new_keys, sorted(await person.stated_groups()))
    writes.new_groups, writes.new_slot_key, writes.subject_keys = folded.written, new_keys.new_slot_key, new_keys.rows
    writes.changes = [ChangeRow(op=FeedOperation.UPSERT, version=version, stamp=stamp, profile=canonical, other=None)]
    writes.changes += [
        ChangeRow(op=FeedOperation.MERGE, version=version, stamp=stamp, profile=canonical, other=id_) for id_ in merged
    ]
    entry = {"profiles": [each.hex() for each in person.origin_ids], "hashes": [each.hex() for each in hashes]}
    made = ledger.entry(actor, LedgerAction.WAITING_ENDED, public("ers", erasure_id), stamp_time(stamp), entry)
    writes.ledger = [vouch_for_entry(exclusive.space.keys, made)]
    return SpaceChange(None, writes)
