"""Taking a profile out of a group: a call of Onefold's own, that goes the way of all calls.

So it has its stamp, is evidence, and wins or loses against a join by its time like any other.
"""

import time
from typing import Any

from identity.operations.ingest.queue import IngestQueue
from identity.operations.ingest.request import Request
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.extract import LONGEST_GROUP_ID
from identity.spaces.space import Space
from identity.values.calls import Source
from identity.values.errors import BadIdentifier, GroupNotFound, ProfileNotFound
from identity.values.identifiers import parse, plain


async def leave(space: Space, queue: IngestQueue, group_id: str, ref: str, source: Source) -> dict[str, Any]:
    """Takes the profile of `type:value` out of a group; one that never was in it stays out.

    GroupNotFound where the id cannot be one, BadIdentifier, ProfileNotFound.
    """
    group = plain(group_id)
    if not group or len(group) > LONGEST_GROUP_ID:
        raise GroupNotFound
    named = parse(ref, (await space.rules()).region)
    now = time.time_ns() // 1000
    body = {
        "groupId": group,
        "context": {
            "externalIds": [{"id": named.value, "type": named.type, "collection": "users", "encoding": "none"}]
        },
        "timestamp": format_time(now),
    }
    outcome = (await queue.submit(space, Request([body], source=source, received=now, kind="leave")))[0]
    if outcome.status == "rejected":
        raise BadIdentifier
    if outcome.profile_id is None:
        raise ProfileNotFound
    return {"group_id": group, "profile_id": outcome.profile_id, "member": False}
