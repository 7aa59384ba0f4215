"""Deletes a group: its members leave, its traits and its id are destroyed.

Each profile that ever named the group leaves by a call of Onefold's own kind, which is evidence: so neither a later
erasure nor a rebuild brings the group back from older calls. The row and the key of the group go last, so a deletion
that was interrupted can be repeated. A call that names the group afterwards starts a group of its own.
"""

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Final, NamedTuple

from msgspec import Struct

from identity.operations.ingest.leave_group import departure
from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import IngestRequest
from identity.planning.privacy.hold_refusals import UnderHold
from identity.planning.resolution.claimed_identifiers import lasting
from identity.planning.resolution.planner import UNDER_HOLD
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.fold_groups import DELETED, fold_groups
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.ingest.write import Writes
from identity.store.ledger import ledger
from identity.store.privacy import group_rows, holds
from identity.store.profiles.groups import existing_groups
from identity.values.calls import Identifier, Source
from identity.values.errors import GroupNotFound
from identity.values.ids import HoldId, ProfileId
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Micros, stamp_time, wall_time
from identity.vault.seal import IDENTIFIER

AT_ONCE = 250
_STOPPED: Final = (
    "A hold came while the group was deleted. Of its members {} left; the people under the hold stay, and so does the"
    " group. Send the request again when the hold has ended."
)


class DeletedGroup(Struct, frozen=True):
    """A group that is no more, and how many profiles were members until then."""

    group_id: str
    left: int


class Departure(NamedTuple):
    """The call by which a profile leaves a group, and whether the profile is a member until then."""

    root: ProfileId
    member: bool
    body: JsonObject


async def delete_group(space: Space, queue: IngestQueue, group_id: str, source: Source, actor: str) -> DeletedGroup:
    """Delete the group of a normalised id. GroupNotFound; UnderHold where a hold covers a member.

    Of a hold that comes meanwhile the message says how many members have left: all those whom no hold covers.
    """
    await _require_deletable(space, group_id)
    now = wall_time()
    left, held, after = 0, False, bytes(16)
    while True:
        members = await _next_members(space, group_id, after, now)
        if not members:
            break
        bodies: list[object] = [member.body for member in members]
        outcomes = await queue.submit(space, IngestRequest(bodies, source=source, received=now, kind="leave"))
        held |= any(outcome.reason == UNDER_HOLD for outcome in outcomes)
        left += sum(
            member.member for member, outcome in zip(members, outcomes, strict=True) if outcome.status == "accepted"
        )
        after = members[-1].root
    if held:
        # What the members gave the group stays with it.
        raise UnderHold(await _holds(space, group_id), _STOPPED.format(left))
    try:
        await run_exclusive(space, (), partial(_destroy, group_id, actor))
    except UnderHold as late:
        raise UnderHold(late.holds, _STOPPED.format(left)) from None
    await space.publish()
    return DeletedGroup(group_id, left)


async def _holds(space: Space, group_id: str) -> list[HoldId]:
    async with space.database.reading() as connection:
        return await holds.on_members(connection, space.tenant, space.keys.groups(group_id))


@retry_on_key_rotation
async def _require_deletable(space: Space, group_id: str) -> None:
    keys = space.keys.groups(group_id)
    async with space.database.reading() as connection:
        if not await existing_groups(connection, space.tenant, keys):
            raise GroupNotFound
        if found := await holds.on_members(connection, space.tenant, keys):
            raise UnderHold(found)


@retry_on_key_rotation
async def _next_members(space: Space, group_id: str, after: bytes, now: Micros) -> list[Departure]:
    """The calls that take the next profiles that ever named a group out of it."""
    async with space.database.reading() as connection:
        found = await group_rows.named_members(connection, space.tenant, space.keys.groups(group_id), after, AT_ONCE)
    return await departures(space, found, group_id, now)


async def departures(
    space: Space, found: Sequence[group_rows.NamedMemberRow], group_id: str, now: Micros
) -> list[Departure]:
    """The calls that take profiles out of a group that is deleted now, each by one of its identifiers."""
    names, rules = await space.read_types(), await space.rules()
    calls = []
    for (root, member), rows in groupby(found, lambda row: (row.root, row.member)):
        identifiers = [
            Identifier(
                names[row.type], unwrap_key(space, row.subject).open(IDENTIFIER, row.key[:16], 0, row.value).decode()
            )
            for row in rows
        ]
        body = departure(lasting(identifiers, rules), group_id, now)
        calls.append(Departure(root, member, {**body, DELETED: True}))
    return calls


async def _destroy(group_id: str, actor: str, exclusive: ExclusiveSpace) -> SpaceChange[None]:
    """Destroy the row and the key of a group; calls that joined since the deletion began give it again."""
    connection, space = exclusive.connection, exclusive.space
    key = space.keys.group(group_id)
    if not await existing_groups(connection, space.tenant, [key]):
        return SpaceChange(None)
    if found := await holds.on_members(connection, space.tenant, [key]):
        raise UnderHold(found)
    await exclusive.require_recorded_holds()
    new_keys = await exclusive.new_subject_keys()
    folded = await fold_groups(space, connection, new_keys, [key])
    stamp = exclusive.stamps(exclusive.lock_row.stamp)
    writes = Writes(lock_stamp=stamp, new_groups=folded.written)
    writes.new_slot_key, writes.subject_keys = new_keys.new_slot_key, new_keys.rows
    entry = {"group": key.hex(), "keys": sorted(each.hex() for each in folded.key_ids)}
    writes.ledger = [ledger.entry(actor, LedgerAction.GROUP_DELETED, None, stamp_time(stamp), entry)]
    return SpaceChange(None, writes)
