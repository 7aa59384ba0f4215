"""Takes a profile out of a group, by a call of Onefold's own kind that is ingested like any other.

So the departure has a stamp, is stored as evidence, and wins or loses against a join by its time. The call names the
profile by an identifier that the rules read, so that a rebuild finds the profile, or by a blocked one. A person under a
litigation hold stays: the batch that stores the departure looks for the hold.
"""

from msgspec import Struct

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import IngestRequest
from identity.planning.privacy.hold_refusals import UnderHold
from identity.planning.resolution.call_requirements import LONGEST_GROUP_ID
from identity.planning.resolution.claimed_identifiers import lasting
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.planner import UNDER_HOLD
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import find_identifier, profile_not_found
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.privacy import holds
from identity.store.privacy.group_rows import MOST_NAMED
from identity.store.profiles import snapshot_queries
from identity.values.calls import Identifier, Source
from identity.values.errors import BadIdentifier, GroupNotFound
from identity.values.ids import ProfileId, private
from identity.values.json import JsonObject
from identity.values.plain_text import UnusableValue, plain
from identity.values.stamps import Micros, wall_time
from identity.vault.seal import IDENTIFIER


class GroupLeft(Struct, frozen=True):
    """A profile that is no member of a group from now on."""

    group_id: str
    profile_id: ProfileId


async def leave_group(space: Space, queue: IngestQueue, group_id: str, ref: str, source: Source) -> GroupLeft:
    """Takes the profile of `type:value` out of a group; a profile that never joined stays out.

    GroupNotFound for an impossible group id, BadIdentifier, ProfileNotFound; UnderHold for a person under a hold.
    """
    try:
        group = plain(group_id)
    except UnusableValue:
        raise GroupNotFound from None
    if len(group) > LONGEST_GROUP_ID:
        raise GroupNotFound
    named = await find_identifier(space, ref)
    now = wall_time()
    root, identifiers = await _profile(space, named)
    body = departure(lasting([named, *identifiers], await space.rules()), group, now)
    outcome = (await queue.submit(space, IngestRequest([body], source=source, received=now, kind="leave")))[0]
    if outcome.reason == UNDER_HOLD:
        async with space.database.reading() as connection:
            raise UnderHold(await holds.on_people(connection, space.tenant, [] if root is None else [root]))
    if outcome.status == "rejected":
        raise BadIdentifier
    profile_id = private("prf", outcome.profile_id or "")
    if profile_id is None:
        raise profile_not_found(ref)
    return GroupLeft(group, profile_id)


def departure(identifier: Identifier, group: str, at: Micros) -> JsonObject:
    """The body of the call by which a profile leaves a group."""
    external = {"id": identifier.value, "type": identifier.type, "collection": "users", "encoding": "none"}
    return {"groupId": group, "context": {"externalIds": [external]}, "timestamp": format_time(at)}


@retry_on_key_rotation
async def _profile(space: Space, named: Identifier) -> tuple[ProfileId | None, list[Identifier]]:
    """The root and the strongest identifiers of the profile with this identifier."""
    names = await space.read_types()
    async with space.database.reading() as connection:
        keys = space.keys.identifiers(named.type, named.value)
        owners = await owners_of(connection, space.tenant, keys)
        origins = await snapshot_queries.origins(connection, space.tenant, sorted(set(owners.values())))
        found = await snapshot_queries.identifiers(connection, space.tenant, [row.id for row in origins])
        found = sorted(found, key=lambda row: (row.retired, row.type, row.key))[:MOST_NAMED]
        sealed = await snapshot_queries.subject_keys(connection, space.tenant, sorted({row.origin for row in found}))
    subjects = {key.id: unwrap_key(space, key) for key in sealed}
    identifiers = [
        Identifier(names[row.type], subjects[row.origin].open(IDENTIFIER, row.key[:16], 0, row.value).decode())
        for row in found
        if row.origin in subjects
    ]
    return next((row.root for row in origins), None), identifiers
