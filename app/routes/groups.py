"""Groups: their traits and how many belong to them."""

from fastapi import APIRouter, Response

from app.auth import ByGroupReader
from app.openapi import described
from app.routes.answers import Segment, answer
from app.schemas import Group
from identity.errors import GroupNotFound
from identity.journeys import audit, groups

router = APIRouter(tags=["Groups"])


@router.get("/v1/groups/{group_id}", **described(Group, GroupNotFound))
async def get_group(visit: ByGroupReader, group_id: Segment) -> Response:
    """A group, with its number of members up to 10,000."""
    if visit.audited:
        await audit.note(visit.space, visit.caller.key_id, "group.read", None)
    return answer(await groups.get_group(visit.space, group_id))
