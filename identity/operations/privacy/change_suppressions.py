"""Suppresses the identifiers of a request, or lifts their suppression, for every later call.

The list holds hashes under a key of its own. Lifting a suppression brings nothing back, and calls from
before an erasure stay out even then.
"""

from collections.abc import Sequence
from functools import partial

import msgspec

from identity.operations.privacy.waiting_erasures import waiting_erasures
from identity.planning.privacy.privacy_requests import DestroyedCounts
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive_with
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erasures, suppressions
from identity.values.calls import Identifier
from identity.values.enums import ErasureState, SpaceMark
from identity.values.ids import RequestId, public
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import stamp_time
from identity.vault.vouching.ledger_entries import vouch_for_entry


async def change_suppressions(
    writer: WriterConnection,
    space: Space,
    request_id: RequestId,
    actor: str,
    identifiers: Sequence[Identifier],
    *,
    on: bool,
) -> None:
    """Suppress the identifiers of a request, or lift that; a second run changes nothing.

    `identifiers` are those of the request where still known. A lift is cancelled while an erasure of one of its people
    waits for a hold.
    """
    decide = partial(_decide, request_id, actor, bool(identifiers), on)
    await run_exclusive_with(writer, space, identifiers, decide)


async def _decide(
    request_id: RequestId,
    actor: str,
    known: bool,  # noqa: FBT001 (bound by name above)
    on: bool,  # noqa: FBT001 (bound by name above)
    exclusive: ExclusiveSpace,
) -> SpaceChange[None]:
    connection, tenant = exclusive.connection, exclusive.space.tenant
    rows = await erasures.by_requests(connection, tenant, [request_id])
    await exclusive.load_owners([row.key for row in rows])
    rows = await erasures.by_requests(connection, tenant, [request_id])
    waiting = [row for row in rows if row.state == ErasureState.RECEIVED]
    if not waiting:
        return SpaceChange(None)
    if not known:
        await exclusive.require_known([row.key for row in waiting])
    stamp = exclusive.stamps(exclusive.lock_row.stamp)
    internal_at = stamp_time(stamp)
    if not on and await waiting_erasures(connection, tenant, [row.key for row in waiting], exclusive.owners):
        # Lifted now, the suppression would come back with the end of the hold.
        await erasures.cancel(connection, tenant, request_id, internal_at)
        cancelled = ledger.entry(actor, LedgerAction.ERASURE_CANCELLED, public("req", request_id), internal_at)
        return SpaceChange(None, Writes(lock_stamp=stamp, ledger=[cancelled]))
    hashes = sorted({row.hash for row in waiting})
    listed = set() if on else await suppressions.listed(connection, tenant, hashes)
    found = {row.nr for row in waiting if (row.key in exclusive.owners if on else row.hash in listed)}
    writes = Writes(lock_stamp=stamp, marks=SpaceMark.SUPPRESSED)
    if on:
        writes.suppressed = [(hash_, True, None) for hash_ in hashes]
        # A rebuild must not create a profile from calls of others that name an unknown identifier.
        writes.forgotten = [(key, stamp) for key in sorted({row.key for row in waiting} - exclusive.owners.keys())]
    else:
        await suppressions.lift(connection, tenant, hashes)
    entry: JsonObject = {"hashes": [hash_.hex() for hash_ in hashes], "found": sorted(found)}
    action = LedgerAction.SUPPRESSED if on else LedgerAction.SUPPRESSION_LIFTED
    made = vouch_for_entry(
        exclusive.space.keys, ledger.entry(actor, action, public("req", request_id), internal_at, entry)
    )
    seq = await ledger.append(connection, tenant.id, *made)
    for row in waiting:
        await erasures.finish(
            connection,
            tenant,
            row.id,
            state=ErasureState.FINISHED,
            internal_at=internal_at,
            closed_at=internal_at,
            epoch=None,
            ledger_seq=seq,
            counts=msgspec.json.encode(DestroyedCounts()),
            aside=None,
            found=row.nr in found,
        )
    return SpaceChange(None, writes)
