"""Groups: their traits and the number of their members."""

from fastapi import APIRouter, Response

from app.http.auth import ByGroupReader, ByLister
from app.http.openapi import described
from app.http.responses import Segment, answer
from app.schemas.groups import GroupAnswer, GroupDeleted, Left, group_answer, group_deleted, left
from identity.operations.ingest import delete_group as ingest
from identity.operations.ingest.leave_group import leave_group
from identity.operations.profiles import read_group
from identity.operations.spaces import record_read
from identity.planning.privacy.hold_refusals import UnderHold
from identity.values.calls import Source
from identity.values.errors import BadIdentifier, GroupNotFound, ProfileNotFound
from identity.values.ids import public_profile

router = APIRouter(tags=["Groups"])


@router.get("/v1/groups/{group_id}", **described(GroupAnswer, GroupNotFound))
async def get_group(visit: ByGroupReader, group_id: Segment) -> Response:
    """A group with its traits and its number of members."""
    if visit.audited:
        await record_read.note(visit.space, visit.caller.key_id, "group.read", None)
    return answer(group_answer(await read_group.get_group(visit.space, group_id)))


@router.delete("/v1/groups/{group_id}", **described(GroupDeleted, GroupNotFound, UnderHold))
async def delete_group(visit: ByLister, group_id: Segment) -> Response:
    """Delete a group: its members leave, its traits and its id are destroyed. A later group call starts it anew."""
    group = await read_group.get_group(visit.space, group_id)
    source = Source(visit.caller.key_number, visit.caller.server)
    deleted = await ingest.delete_group(
        visit.space, visit.onefold.ingest_queue, group.group_id, source, visit.caller.key_id
    )
    return answer(group_deleted(deleted))


@router.delete(
    "/v1/groups/{group_id}/members/{ref}", **described(Left, BadIdentifier, GroupNotFound, ProfileNotFound, UnderHold)
)
async def remove_group_member(visit: ByLister, group_id: Segment, ref: Segment) -> Response:
    """Remove the profile of `type:value` from a group; a later group call adds it again.

    Refused while a litigation hold covers the person.
    """
    await read_group.get_group(visit.space, group_id)
    source = Source(visit.caller.key_number, visit.caller.server)
    found = await leave_group(visit.space, visit.onefold.ingest_queue, group_id, ref, source)
    await record_read.note(visit.space, visit.caller.key_id, "group.leave", public_profile(found.profile_id))
    return answer(left(found))
