"""Spaces, for the operator: created with their first keys, listed, deleted with everything in them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.http.auth import ByOperator
from app.http.openapi import body, described
from app.http.responses import Segment, answer, no_content
from app.schemas.spaces import CreatedSpace, NewSpace, SpaceList, created_space, space_list
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.delete_space import delete_space as delete
from identity.planning.privacy.hold_refusals import UnderHold
from identity.values.errors import BadInput, NotConfirmed, SpaceNotFound
from identity.values.ids import SpaceNumber

router = APIRouter(tags=["Operator"])


@router.post("/v1/spaces", **described(CreatedSpace, BadInput, status=201, takes=NewSpace))
async def create_space(onefold: ByOperator, new: Annotated[NewSpace, Depends(body(NewSpace))]) -> Response:
    """Create a space; no later answer shows the secrets of its keys."""
    return answer(created_space(await manage_spaces.create_space(onefold.spaces, new.name)), 201)


@router.get("/v1/spaces", **described(SpaceList))
async def list_spaces(onefold: ByOperator) -> Response:
    """List the spaces, oldest first."""
    return answer(space_list(await manage_spaces.list_spaces(onefold.spaces)))


@router.delete("/v1/spaces/{space_id}", **described(None, NotConfirmed, SpaceNotFound, UnderHold, status=204))
async def delete_space(
    onefold: ByOperator, space_id: Segment, confirm: Annotated[str | None, Query()] = None
) -> Response:
    """Delete a space with everything in it; `confirm` is its exact name."""
    number = await delete(onefold.spaces, space_id, confirm)
    onefold.keys.closed(SpaceNumber(number))
    return no_content()
