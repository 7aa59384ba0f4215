"""Erases one person: in one transaction under the gate, everything the canonical profile folds.

Suppression, the destruction of keys and rows, the entry in the ledger and that in the feed are one
commit, so there is no moment at which a part of it is so. Done again it finds itself done.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from identity.operations.privacy.person import Person, open_person
from identity.planning.privacy import erasure_entry
from identity.planning.privacy.request_kinds import FORWARDS, SUPPRESSES
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive_with
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.rows import ChangeRow
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import access_exports, erasure_notices, erasures, holds, suppressions
from identity.store.privacy import erase as erasing
from identity.store.privacy.erasures import ErasureRow
from identity.values.calls import Identifier
from identity.values.enums import ErasureState, FeedOperation, SpaceMark
from identity.values.errors import ErasureNotFound
from identity.values.ids import public
from identity.values.stamps import stamp_time
from identity.vault.seal import ASIDE


async def erase(
    writer: WriterConnection, space: Space, row: ErasureRow, actor: str, named: Sequence[Identifier] = ()
) -> None:
    """Erases whoever bears the identifier of an erasure, or holds the erasure up where a hold says so.

    `named` is that identifier where it is known. KeyUnavailable: see `Ground.sure`.
    """
    await run_exclusive_with(writer, space, named, _deciding(row.id, actor, known=bool(named)))


def _deciding(id_: bytes, actor: str, *, known: bool) -> Callable[[ExclusiveSpace], Awaitable[SpaceChange[None]]]:
    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[None]:
        tenant = exclusive.space.tenant
        row = await erasures.get(exclusive.connection, tenant, id_)
        if row is None:
            raise ErasureNotFound
        if row.state not in (ErasureState.RECEIVED, ErasureState.ON_HOLD):
            return SpaceChange(None)
        await exclusive.load_owners([row.key])
        row = await erasures.get(exclusive.connection, tenant, id_) or row
        if not known and row.state == ErasureState.RECEIVED:
            await exclusive.require_known([row.key])
        person = await open_person(exclusive, row.key)
        await exclusive.rekey_named([Identifier(*each) for each in person.identifiers()])
        if await holds.any_held(exclusive.connection, tenant, sorted(person.keys | {row.key})):
            return await _hold_up(exclusive, row, person, actor)
        return await _erase(exclusive, row, person, actor)

    return decide


async def _erase(exclusive: ExclusiveSpace, row: ErasureRow, person: Person, actor: str) -> SpaceChange[None]:
    tenant, connection = exclusive.space.tenant, exclusive.connection
    gone = person.gone(row.key, row.hash)
    stamp = exclusive.stamps(max(exclusive.gate.stamp, *(each.stamp for each in person.rows), 0))
    at, epoch, whole = stamp_time(stamp), exclusive.gate.epoch, row.kind in SUPPRESSES
    told = await erasing.informed_destinations(connection, tenant, gone.profiles) if row.kind in FORWARDS else []
    writes = Writes(gate=stamp, marks=SpaceMark.SUPPRESSED, lane=exclusive.lane)
    writes.evidence = await person.acts()
    writes.forgotten = [(key, stamp) for key in gone.indexes]
    writes.suppressed = [(hash_, whole, at) for hash_ in gone.hashes]
    writes.changes = _erased(person, stamp, row.id)
    aside = None
    if told:
        new_keys = await exclusive.new_subject_keys()
        named = msgspec.json.encode([f"{type_}:{value}" for type_, value in person.identifiers()])
        aside = new_keys.make(row.id).seal(ASIDE, row.id, 0, named)
        writes.slot, writes.subject_keys = new_keys.new_slot, new_keys.rows
    if row.state == ErasureState.ON_HOLD and not whole:
        await suppressions.lift(connection, tenant, gone.hashes)
    dropped = await access_exports.drop_containing(connection, tenant, gone.profiles)
    rows = await erasing.delete_profiles(
        exclusive.connection, tenant, gone.profiles, gone.indexes, sorted(person.groups)
    )
    said = erasure_entry.entry(gone, rows, dropped, told, stamp=stamp, whole=whole, epoch=epoch)
    seq = await ledger.append(connection, tenant.id, *ledger.entry(actor, "erase", public("ers", row.id), at, said))
    counted = msgspec.json.encode(erasure_entry.counts(gone, rows, dropped))
    await erasures.finish(
        connection,
        tenant,
        row.id,
        state=ErasureState.FINISHED,
        at=at,
        closed_at=None if told else at,
        epoch=epoch if gone.keys else None,
        ledger_seq=seq,
        counts=counted,
        aside=aside,
    )
    await erasure_notices.add(connection, tenant, row.id, told, at)
    await erasures.mark_duplicates(connection, tenant, gone.indexes, row, at)
    return SpaceChange(None, writes)


async def _hold_up(exclusive: ExclusiveSpace, row: ErasureRow, person: Person, actor: str) -> SpaceChange[None]:
    """Nothing is destroyed while the hold stands; nobody reads it and nothing is added to it."""
    if row.state == ErasureState.ON_HOLD:
        return SpaceChange(None)
    connection, tenant = exclusive.connection, exclusive.space.tenant
    gone = person.gone(row.key, row.hash)
    stamp = exclusive.stamps(max(exclusive.gate.stamp, *(each.stamp for each in person.rows), 0))
    at = stamp_time(stamp)
    await erasures.set_state(connection, tenant, row.id, ErasureState.ON_HOLD)
    await erasing.put_on_hold(connection, tenant, gone.profiles)
    await access_exports.drop_containing(connection, tenant, gone.profiles)
    hashes = sorted(hash_.hex() for hash_ in gone.hashes)
    writes = Writes(gate=stamp, marks=SpaceMark.SUPPRESSED, lane=exclusive.lane)
    writes.suppressed = [(hash_, True, at) for hash_ in gone.hashes]
    writes.changes = _erased(person, stamp, None)
    held = {"hashes": hashes, "profiles": sorted(id_.hex() for id_ in gone.profiles)}
    writes.ledger = [ledger.entry(actor, "suppress", public("ers", row.id), at, held)]
    return SpaceChange(None, writes)


def _erased(person: Person, stamp: int, erasure: bytes | None) -> list[ChangeRow]:
    """What the feed is told: the id that is no more, and those that had been merged into it.

    Without an erasure they are only withheld.
    """
    version = max((row.version for row in person.rows), default=0) + 1
    first = [person.head.canonical] if person.rows else []
    others = [id_ for id_ in person.ids if id_ not in first]
    return [ChangeRow(FeedOperation.ERASE, version, stamp, id_, erasure) for id_ in (*first, *others)]
