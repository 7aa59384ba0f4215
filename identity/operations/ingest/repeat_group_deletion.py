"""Deletes a group again in a database that is older than the deletion and is being repaired.

Each profile that named the group leaves by the same kind of call as at the deletion, at the time of the deletion: the
calls of that time are lost with the database. So no profile lists the group, and neither a later erasure nor a rebuild
brings the group back from older calls.
"""

from collections.abc import Sequence
from itertools import count

from identity.operations.ingest.delete_group import AT_ONCE, departures
from identity.operations.ingest.request import IngestRequest
from identity.operations.ingest.seal import Sealer
from identity.operations.ingest.unseal import UnsealedBatch, wanted_documents, wanted_sets
from identity.planning.resolution import fold_documents
from identity.planning.resolution.planner import plan as make_plan
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.spaces.new_subject_keys import random_key_slot
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.ingest import load
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.ingest.write import apply
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.privacy import group_rows
from identity.store.profiles import snapshot_queries
from identity.values.calls import Source
from identity.values.ids import ProfileId, new_profile_id, public_profile
from identity.values.stamps import Micros, Stamp, first_stamp
from identity.vault.seal import DOCUMENT

_NOBODY = Source(0, server=True)
"""The source of these calls: no key sent them."""


async def repeat_group_deletion(space: Space, connection: PipelineConnection, key: bytes, at: Micros) -> None:
    """Delete the group with this key, as it was deleted at a time; the transaction holds the space lock alone."""
    await space.read_types()
    last = max(first_stamp(at), (await space_lock.read(connection, space.tenant.id)).stamp)
    name = await _group_id(space, connection, key)
    after = bytes(16)
    while name is not None:
        found = await group_rows.named_members(connection, space.tenant, [key], after, AT_ONCE)
        if not found:
            break
        bodies: list[object] = [each.body for each in await departures(space, found, name, at)]
        request = IngestRequest(bodies, source=_NOBODY, received=at, kind="leave")
        await request.read(space, DEFAULT_RULES)
        last = await _leave(space, connection, request, last)
        after = found[-1].root
    await space_lock.raise_stamp(connection, space.tenant.id, last, 0)
    await group_rows.delete_group(connection, space.tenant, key)


async def _group_id(space: Space, connection: Connection, key: bytes) -> str | None:
    """The id of a group by the documents of its members, which have it even where the group itself cannot be read."""
    origins = sorted({row.origin for row in await group_rows.stating(connection, space.tenant, [key])})
    for first in range(0, len(origins), AT_ONCE):
        for name in await _groups_of(space, connection, origins[first : first + AT_ONCE]):
            if space.keys.group(name) == key:
                return name
    return None


async def _groups_of(space: Space, connection: Connection, origins: Sequence[ProfileId]) -> set[str]:
    """The groups that these origins joined or left."""
    found: set[str] = set()
    for row in await snapshot_queries.subject_keys(connection, space.tenant, origins):
        if row.document is not None and row.version is not None:
            plain = unwrap_key(space, row).open(DOCUMENT, row.id, row.version, row.document)
            found |= fold_documents.unpack(plain).groups.keys()
    return found


async def _leave(space: Space, connection: PipelineConnection, request: IngestRequest, last: Stamp) -> Stamp:
    """Store calls that leave a group, after the stamp `last`; returns the newest stamp of theirs."""
    calls = [call for _, call in request.calls]
    owners = await owners_of(connection, space.tenant, sorted(request.keys))
    lock_row = await space_lock.read(connection, space.tenant.id)
    key_slot = random_key_slot()
    locked = await load.lock(
        connection,
        space.tenant,
        set(owners.values()),
        wanted_documents(calls, owners),
        wanted_sets(calls, owners, lambda _: frozenset()),
        (),
        key_slot,
    )
    opened = UnsealedBatch(space, load.BatchClaim(lock_row, {call.message_key for call in calls}, owners), locked)
    numbers = count(max(last, opened.newest) + 1)
    made = make_plan(opened.state, calls, DEFAULT_RULES, lambda _: Stamp(next(numbers)), new_profile_id, public_profile)
    await apply(connection, space.tenant, Sealer(opened, lock_row, DEFAULT_RULES, key_slot, locked.slot_key).seal(made))
    return Stamp(next(numbers))
