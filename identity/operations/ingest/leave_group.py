"""Takes a profile out of a group, by a call of Onefold's own kind that is ingested like any other.

So the departure has a stamp, is stored as evidence, and wins or loses against a join by its time. A person under a
litigation hold stays: the batch that stores the departure looks for the hold.
"""

from msgspec import Struct

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import IngestRequest
from identity.planning.privacy.hold_refusals import UnderHold
from identity.planning.resolution.call_requirements import LONGEST_GROUP_ID
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.planner import UNDER_HOLD
from identity.spaces.named_identifiers import find_identifier, profile_not_found
from identity.spaces.space import Space
from identity.values.calls import Source
from identity.values.errors import BadIdentifier, GroupNotFound
from identity.values.ids import ProfileId, private
from identity.values.plain_text import UnusableValue, plain
from identity.values.stamps import wall_time


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
    body = {
        "groupId": group,
        "context": {
            "externalIds": [{"id": named.value, "type": named.type, "collection": "users", "encoding": "none"}]
        },
        "timestamp": format_time(now),
    }
    outcome = (await queue.submit(space, IngestRequest([body], source=source, received=now, kind="leave")))[0]
    if outcome.reason == UNDER_HOLD:
        raise UnderHold
    if outcome.status == "rejected":
        raise BadIdentifier
    profile_id = private("prf", outcome.profile_id or "")
    if profile_id is None:
        raise profile_not_found(ref)
    return GroupLeft(group, profile_id)
