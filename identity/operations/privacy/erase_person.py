"""Erases one person: everything under a canonical profile, in one transaction that holds the space lock alone.

Suppression, the destruction of keys and rows, the ledger entry and the feed entry are one commit, so no
moment shows a part of it. A second run finds the erasure done and changes nothing.
"""

from collections.abc import Sequence
from functools import partial

import msgspec
from msgspec import structs

from identity.operations.privacy.orphaned_calls import OrphanedCalls
from identity.operations.privacy.person import Person, open_person
from identity.planning.privacy import erasure_entry
from identity.planning.privacy.privacy_requests import FORWARDS
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive_with
from identity.spaces.fold_groups import part_groups
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.rows import ChangeRow
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import access_exports, erase, erasure_notices, erasures, suppressions
from identity.store.privacy.erasures import ErasureRow
from identity.values.calls import Identifier
from identity.values.enums import SUPPRESSES, ErasureState, FeedOperation, SpaceMark
from identity.values.errors import ErasureNotFound
from identity.values.ids import ErasureId, public
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Stamp, stamp_time
from identity.vault.seal import ASIDE
from identity.vault.vouching.ledger_entries import vouch_for_entry


async def erase_person(
    writer: WriterConnection,
    space: Space,
    row: ErasureRow,
    actor: str,
    orphans: OrphanedCalls,
    identifiers: Sequence[Identifier] = (),
) -> None:
    """Erase the person behind the identifier of an erasure, or leave the erasure on hold where a hold applies.

    `identifiers` is that identifier where still known, `orphans` serve all erasures of a request. KeyUnavailable: see
    `ExclusiveSpace.require_known`.
    """
    decide = partial(_decide, row.id, actor, orphans, bool(identifiers))
    await run_exclusive_with(writer, space, identifiers, decide)


async def _decide(
    erasure_id: ErasureId,
    actor: str,
    orphans: OrphanedCalls,
    known: bool,  # noqa: FBT001 (bound by name above)
    exclusive: ExclusiveSpace,
) -> SpaceChange[None]:
    connection, tenant = exclusive.connection, exclusive.space.tenant
    row = await erasures.get(connection, tenant, erasure_id)
    if row is None:
        raise ErasureNotFound
    if row.state not in (ErasureState.RECEIVED, ErasureState.ON_HOLD):
        return SpaceChange(None)
    await exclusive.load_owners([row.key])
    row = await erasures.get(connection, tenant, erasure_id) or row
    if not known and row.state == ErasureState.RECEIVED:
        await exclusive.require_known([row.key])
    person = await open_person(exclusive, row.key, orphans)
    await exclusive.rekey_named(person.identifiers())
    if await exclusive.holds_on(sorted(person.indexes | {row.key})):
        return await _put_on_hold(exclusive, row, person, actor)
    return await _erase(exclusive, row, person, actor)


async def _erase(exclusive: ExclusiveSpace, row: ErasureRow, person: Person, actor: str) -> SpaceChange[None]:
    connection, tenant = exclusive.connection, exclusive.space.tenant
    refs = person.refs(row.key, row.hash)
    stamp = exclusive.stamps(max([exclusive.lock_row.stamp, *(each.stamp for each in person.origins)]))
    internal_at, epoch, for_good = stamp_time(stamp), exclusive.lock_row.epoch, row.kind in SUPPRESSES
    informed = await erase.informed_destinations(connection, tenant, refs.origins) if row.kind in FORWARDS else []
    writes = Writes(lock_stamp=stamp, marks=SpaceMark.SUPPRESSED, lane=exclusive.lane)
    writes.evidence = await person.surviving_acts()
    writes.forgotten = [(index, stamp) for index in refs.indexes]
    writes.suppressed = [(hash_, for_good, internal_at) for hash_ in refs.hashes]
    writes.changes = _feed_entries(person, stamp, row.id)
    aside = None
    new_keys = await exclusive.new_subject_keys()
    stated = await person.stated_groups()
    parted = await part_groups(exclusive.space, connection, new_keys, stated, refs.origins)
    refs = structs.replace(refs, key_ids=[*refs.key_ids, *parted.key_ids], groups=parted.ids)
    writes.new_groups = parted.written
    if informed:
        texts = msgspec.json.encode([each.text for each in person.identifiers()])
        aside = new_keys.make(row.id).seal(ASIDE, row.id, 0, texts)
    writes.new_slot_key, writes.subject_keys = new_keys.new_slot_key, new_keys.rows
    lifted = await _outlived(exclusive, row, person, refs.hashes)
    await suppressions.lift(connection, tenant, lifted)
    exports = await access_exports.drop_containing(connection, tenant, refs.origins)
    rows = await erase.delete_profiles(connection, tenant, refs.origins, refs.indexes, sorted(stated))
    rows |= {"account": parted.gone} if parted.gone else {}
    entry = erasure_entry.ledger_entry(
        refs, rows, exports, informed, stamp=stamp, for_good=for_good, epoch=epoch, lifted=lifted
    )
    made = ledger.entry(actor, LedgerAction.ERASED, public("ers", row.id), internal_at, entry)
    seq = await ledger.append(connection, tenant.id, *vouch_for_entry(exclusive.space.keys, made))
    await erasures.finish(
        connection,
        tenant,
        row.id,
        state=ErasureState.FINISHED,
        internal_at=internal_at,
        closed_at=None if informed else internal_at,
        epoch=epoch if refs.key_ids else None,
        ledger_seq=seq,
        counts=msgspec.json.encode(erasure_entry.destroyed_counts(refs, rows, exports)),
        aside=aside,
        found=bool(refs.key_ids),
    )
    await erasure_notices.add(connection, tenant, row.id, informed, internal_at)
    await erasures.mark_duplicates(connection, tenant, refs.indexes, row, internal_at, found=bool(refs.key_ids))
    return SpaceChange(None, writes)


async def _outlived(exclusive: ExclusiveSpace, row: ErasureRow, person: Person, hashes: Sequence[bytes]) -> list[bytes]:
    """The suppressions that lasted only while this erasure waited: those that no other request asked for."""
    if row.state != ErasureState.ON_HOLD or row.kind in SUPPRESSES or not person.origins:
        return []
    connection, tenant = exclusive.connection, exclusive.space.tenant
    if await suppressions.any_requested_later(connection, tenant, sorted(person.indexes)):
        return []
    requested = await suppressions.requested(connection, tenant, hashes)
    return [hash_ for hash_ in hashes if hash_ not in requested]


async def _put_on_hold(exclusive: ExclusiveSpace, row: ErasureRow, person: Person, actor: str) -> SpaceChange[None]:
    """Destroy nothing while a hold applies; the person is unreadable and no call is added meanwhile.

    Groups lose the traits that only this person stated. The calls of the person, which are kept, still hold them.
    """
    if row.state == ErasureState.ON_HOLD:
        return SpaceChange(None)
    connection, tenant = exclusive.connection, exclusive.space.tenant
    refs = person.refs(row.key, row.hash)
    stamp = exclusive.stamps(max([exclusive.lock_row.stamp, *(each.stamp for each in person.origins)]))
    internal_at = stamp_time(stamp)
    await erasures.set_state(connection, tenant, row.id, ErasureState.ON_HOLD, found=bool(refs.key_ids))
    await erase.put_on_hold(connection, tenant, refs.origins)
    await access_exports.drop_containing(connection, tenant, refs.origins)
    writes = Writes(lock_stamp=stamp, marks=SpaceMark.SUPPRESSED, lane=exclusive.lane)
    # Without a time: if the erasure is cancelled, no call is older than an erasure.
    writes.suppressed = [(hash_, True, None) for hash_ in refs.hashes]
    writes.changes = _feed_entries(person, stamp, None)
    new_keys = await exclusive.new_subject_keys()
    parted = await part_groups(exclusive.space, connection, new_keys, await person.stated_groups(), refs.origins)
    writes.new_groups, writes.new_slot_key, writes.subject_keys = parted.written, new_keys.new_slot_key, new_keys.rows
    entry = {
        "hashes": sorted(hash_.hex() for hash_ in refs.hashes),
        "profiles": sorted(id_.hex() for id_ in refs.origins),
    }
    made = ledger.entry(actor, LedgerAction.SUPPRESSED, public("ers", row.id), internal_at, entry)
    writes.ledger = [vouch_for_entry(exclusive.space.keys, made)]
    return SpaceChange(None, writes)


def _feed_entries(person: Person, stamp: Stamp, erasure_id: ErasureId | None) -> list[ChangeRow]:
    """The feed entries of the canonical id and of the ids merged into it; without an erasure they are on hold."""
    version = max((row.version for row in person.origins), default=0) + 1
    first = [person.root.canonical] if person.origins else []
    others = [id_ for id_ in person.origin_ids if id_ not in first]
    return [
        ChangeRow(op=FeedOperation.ERASE, version=version, stamp=stamp, profile=id_, other=erasure_id)
        for id_ in (*first, *others)
    ]
