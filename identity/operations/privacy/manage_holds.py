"""Litigation holds: data under a hold is not erased, and only a legal reader sees people whose erasure waits.

The deadline of a waiting request runs on. The end of a hold carries out the erasures that waited for it.

The reason is under a subject key of its own, which the end of the hold destroys. Holds of earlier releases, and holds
that a restore repeated, have theirs under the key of the space.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from identity.operations.privacy.erase_person import erase_person
from identity.operations.privacy.orphaned_calls import OrphanedCalls
from identity.planning.privacy.privacy_requests import DELETES
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.named_identifiers import read_identifiers, require_count
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.postgres.rows import KeyRow
from identity.store.postgres.writer_connection import WriterConnection
from identity.store.privacy import erase, erasures, holds
from identity.store.profiles import snapshot_queries
from identity.values.enums import ErasureState
from identity.values.errors import HoldNotFound
from identity.values.ids import LAST_ID, ErasureId, HoldId, ProfileId, new_id, private, public
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Micros, wall_time
from identity.vault.seal import HOLD, HOLD_REASON
from identity.vault.vouching.ledger_entries import vouch_for_entry

MOST_IDENTIFIERS: Final = 5_000
_MOST_IDS: Final = 1_000
_MOST_WAITING: Final = 1_000_000


class LitigationHold(Struct, frozen=True):
    """A hold in force; `identifiers` is how many it names. `created_at` is microseconds.

    Nobody has `not_found` of the identifiers now. The hold covers `profiles` people now, with the first canonical
    ids. `unknown` are the identifiers that nobody had, known only to the answer to the request.
    """

    id: HoldId
    created_at: Micros
    identifiers: int
    reason: str
    actor: str
    not_found: int
    profiles: int
    profile_ids: Sequence[ProfileId]
    unknown: Sequence[str] = ()


class ReleasedHold(Struct, frozen=True):
    """A hold that ended at a time (microseconds), and how many erasures waited for that."""

    id: HoldId
    released_at: Micros
    resumed: int


async def place_hold(space: Space, identifiers: Sequence[str], reason: str, actor: str) -> LitigationHold:
    """Hold the data of every person with one of these identifiers, now or when an erasure comes.

    TooManyAsked, BadIdentifier, UnknownType.
    """
    require_count(identifiers, MOST_IDENTIFIERS)
    named = await read_identifiers(space, identifiers, of_people=True)
    id_, now = HoldId(new_id()), wall_time()

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[list[str]]:
        # The space lock is held alone: an erasure is either done before the hold, or finds it.
        connection = exclusive.connection
        by_text = {each.text: space.keys.identifier(each.type, each.value) for each in named}
        keys = sorted(set(by_text.values()))
        entry = {"indexes": [key.hex() for key in keys]}
        unknown = [text for text, key in by_text.items() if key not in exclusive.owners]
        writes = Writes(lock_stamp=exclusive.stamps(exclusive.lock_row.stamp))
        if all(each.id != id_ for each in await holds.list_holds(connection, space.tenant)):
            new_keys = await exclusive.new_subject_keys()
            row = holds.HoldRow(
                id=id_,
                created_at=now,
                actor=actor,
                reason=new_keys.make(id_).seal(HOLD_REASON, id_, 0, reason.encode()),
                identifiers=len(by_text),
            )
            writes.new_slot_key, writes.subject_keys = new_keys.new_slot_key, new_keys.rows
            await holds.add(connection, space.tenant, row, keys)
            placed = ledger.entry(actor, LedgerAction.HOLD_PLACED, public("hld", id_), now, entry)
            await ledger.append(connection, space.tenant.id, *vouch_for_entry(space.keys, placed))
        return SpaceChange(unknown, writes)

    unknown = await run_exclusive(space, named, decide)
    await space.publish()
    return msgspec.structs.replace(await get_hold(space, public("hld", id_)), unknown=unknown)


async def release_hold(space: Space, hold_id: str, actor: str) -> ReleasedHold:
    """End a hold and carry out the erasures that waited for it. HoldNotFound.

    A hold that only the journal has, since somebody deleted its rows, ends as well.
    """
    id_ = private("hld", hold_id)
    if id_ is None:
        raise HoldNotFound
    await space.publish()
    now, name = wall_time(), public("hld", id_)
    async with space.database.transaction() as connection:
        if not await holds.remove(connection, space.tenant, id_) and not space.heads.holds.get(name):
            raise HoldNotFound
        await erase.destroy_key(connection, space.tenant, id_)
        released = ledger.entry(actor, LedgerAction.HOLD_RELEASED, name, now)
        await ledger.append(connection, space.tenant.id, *vouch_for_entry(space.keys, released))
    await space.publish()
    resumed = await resume_held(space, actor)
    await space.publish()
    return ReleasedHold(id_, now, resumed)


async def resume_held(space: Space, actor: str) -> int:
    """Try every erasure that waits for a hold again, oldest first; returns how many wait no longer."""
    waiting = await _waiting(space)
    writer, orphans = WriterConnection(space.database), OrphanedCalls(space)
    try:
        if waiting:
            await orphans.read()
        for row in reversed(waiting):
            await erase_person(writer, space, row, actor, orphans)
    finally:
        await writer.close()
    still = {row.id for row in await _waiting(space)} if waiting else set()
    return sum(row.id not in still for row in waiting)


async def _waiting(space: Space) -> list[erasures.ErasureRow]:
    async with space.database.reading() as connection:
        return await erasures.newest(
            connection, space.tenant, DELETES, ErasureState.ON_HOLD, ErasureId(LAST_ID), _MOST_WAITING
        )


async def list_holds(space: Space) -> list[LitigationHold]:
    """The holds in force, oldest first."""
    async with space.database.reading() as connection:
        rows = await holds.list_holds(connection, space.tenant)
    return await _holds(space, rows)


async def get_hold(space: Space, hold_id: str) -> LitigationHold:
    """A hold in force. HoldNotFound."""
    id_ = private("hld", hold_id)
    async with space.database.reading() as connection:
        rows = [row for row in await holds.list_holds(connection, space.tenant) if row.id == id_]
    if not rows:
        raise HoldNotFound
    return (await _holds(space, rows))[0]


async def _holds(space: Space, rows: Sequence[holds.HoldRow]) -> list[LitigationHold]:
    """Holds with the people that they cover now."""
    async with space.database.reading() as connection:
        ids = [row.id for row in rows]
        found = await holds.coverage(connection, space.tenant, ids, _MOST_IDS) if rows else []
        subjects = {row.id: row for row in await snapshot_queries.subject_keys(connection, space.tenant, ids)}
    by_hold = {row.hold: row for row in found}
    return [_hold(row, _reason(space, row, subjects.get(row.id)), by_hold.get(row.id)) for row in rows]


def _reason(space: Space, row: holds.HoldRow, subject: KeyRow | None) -> str:
    if subject is None:
        return space.keys.open(HOLD, row.id, 0, row.reason).decode()
    return unwrap_key(space, subject).open(HOLD_REASON, row.id, 0, row.reason).decode()


def _hold(row: holds.HoldRow, reason: str, coverage: holds.CoverageRow | None) -> LitigationHold:
    return LitigationHold(
        id=row.id,
        created_at=row.created_at,
        identifiers=row.identifiers,
        reason=reason,
        actor=row.actor,
        not_found=row.identifiers - (0 if coverage is None else coverage.identifiers),
        profiles=0 if coverage is None else coverage.profiles,
        profile_ids=() if coverage is None else coverage.canonical,
    )
