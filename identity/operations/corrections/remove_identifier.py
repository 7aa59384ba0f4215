"""Removes one identifier and, on request, blocks it: the identifier is forgotten, the data it brought stays."""

from msgspec import Struct

from identity.operations.corrections.require_no_hold import require_no_hold
from identity.operations.corrections.seal_profiles import act_record, changes, history, seal_act
from identity.operations.corrections.unseal_profiles import UnsealedProfiles, shown_keys, unseal_profiles
from identity.planning.corrections.remove_identifier import Removal, plan_removal
from identity.planning.privacy.hold_refusals import UnderHold
from identity.planning.resolution.working_set import set_key
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import find_identifier
from identity.spaces.origin_rows import to_row
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger.ledger import entry as ledger_entry
from identity.store.privacy.erase import profiles_on_hold
from identity.store.profiles import evidence as evidence_queries
from identity.values.calls import Identifier, Source
from identity.values.enums import SpaceMark
from identity.values.errors import IdentifierNotFound, LastIdentifier, ProfileNotFound
from identity.values.ids import BlindIndex, ProfileId, public_profile
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Micros, Stamp, stamp_time
from identity.vault.vouching.ledger_entries import vouch_for_entry


class RemovedIdentifier(Struct, frozen=True):
    """The profile that lost the identifier, if any profile had it, and whether the identifier is blocked."""

    profile_id: ProfileId | None
    blocked: bool


@retry_on_key_rotation
async def remove_identifier(space: Space, ref: str, *, block: bool, source: Source, actor: str) -> RemovedIdentifier:
    """Takes an identifier, written `type:value`, off its profile; `block` keeps it from coming back.

    An identifier of no profile can be blocked too. BadIdentifier, IdentifierNotFound, LastIdentifier, UnderHold.
    """
    try:
        named = await find_identifier(space, ref)
    except ProfileNotFound as unknown:
        raise IdentifierNotFound(str(unknown)) from None

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[RemovedIdentifier]:
        key = space.keys.identifier(named.type, named.value)
        if key not in exclusive.owners:
            return await _block(exclusive, named, actor, block=block)
        opened = await unseal_profiles(exclusive, exclusive.owners[key])
        await require_no_hold(exclusive, opened)
        if await profiles_on_hold(exclusive.connection, space.tenant, [exclusive.owners[key]]):
            # The hold has ended and the erasure that waited for it is next: nobody reads the person any more.
            return await _block(exclusive, named, actor, block=block)
        if len(opened.snapshot.links) == 1:
            raise LastIdentifier
        removal, writes = await removal_rows(exclusive, opened, key, source, block=block)
        profile_id = ProfileId(removal.root.canonical)
        writes.ledger = [_entry(space, named, actor, removal.stamp, of=profile_id, block=block)]
        return SpaceChange(RemovedIdentifier(profile_id, blocked=block), writes, (removal.link.origin, removal.stamp))

    removed = await run_exclusive(space, [named], decide)
    await space.publish()
    return removed


async def _block(
    exclusive: ExclusiveSpace, named: Identifier, actor: str, *, block: bool
) -> SpaceChange[RemovedIdentifier]:
    """Blocks an identifier that no profile has. IdentifierNotFound without `block`.

    UnderHold where a hold waits for the person with this identifier: blocked, the person would never have it.
    """
    if not block:
        raise IdentifierNotFound
    space = exclusive.space
    key = space.keys.identifier(named.type, named.value)
    if found := await exclusive.holds_on([key]):
        raise UnderHold(found)
    stamp = exclusive.stamps(exclusive.lock_row.stamp)
    writes = Writes(
        lock_stamp=stamp,
        marks=SpaceMark.BLOCKED,
        blocked=[key],
        ledger=[_entry(space, named, actor, stamp, of=None, block=True)],
    )
    return SpaceChange(RemovedIdentifier(None, blocked=True), writes)


def _entry(
    space: Space, named: Identifier, actor: str, stamp: Stamp, *, of: ProfileId | None, block: bool
) -> tuple[Micros, bytes]:
    """The ledger entry of a removal `of` a profile, a block, or both.

    A restore repeats them by the blind index; ingest knows a block by the hash too, which no rotation changes.
    """
    index = space.keys.identifier(named.type, named.value).hex()
    more: JsonObject = {"stamp": stamp}
    if block:
        more |= {"blocked": [index], "hashes": [space.keys.suppression(named.type, named.value).hex()]}
    if of is not None:
        more |= {"removed": [index]}
    subject = None if of is None else public_profile(of)
    made = ledger_entry(actor, LedgerAction.IDENTIFIER_REMOVED, subject, stamp_time(stamp), more)
    return vouch_for_entry(space.keys, made)


async def removal_rows(
    exclusive: ExclusiveSpace, opened: UnsealedProfiles, key: BlindIndex, source: Source, *, block: bool
) -> tuple[Removal, Writes]:
    """Plan the removal of an identifier that is not the last one of its profile, with its rows.

    Every set of identifiers that contained the removed one loses its sighting.
    """
    space, removal = exclusive.space, plan_removal(opened.snapshot, key, exclusive.stamps)
    origin, stamp = removal.link.origin, removal.stamp
    await opened.unlock(origin)
    writes = Writes(lock_stamp=stamp, lane=exclusive.lane)
    writes.touched = [(to_row(p, space.codes), opened.rows[p.id].stamp) for p in removal.profiles.values()]
    writes.detached = [(origin, key)]
    writes.forgotten = [(key, stamp)]
    found = await evidence_queries.with_identifier(exclusive.connection, space.tenant, sorted(opened.rows), key)
    sets = {(row.origin, set_key(keys)) for row in found if key in (keys := shown_keys(row, space.names))}
    writes.unseen = sorted(sets)
    if block:
        writes.blocked, writes.marks = [key], SpaceMark.BLOCKED
    named = [removal.link.type, opened.value(key).decode()]
    record = act_record("remove", source, stamp_time(stamp), {"blocked": block, "identifier": named})
    seal_act(writes, opened.subjects[origin], origin, stamp, [key], record, exclusive.rules.version)
    writes.history = history([removal.note], exclusive.rules.version, source.key_number)
    writes.changes = changes([removal.change])
    return removal, writes
