"""The API keys of a space, for its admin."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.http.auth import ByAdmin
from app.http.openapi import body, described
from app.http.responses import Segment, answer, no_content
from app.schemas.api_keys import CreatedKey, KeyList, NewKey, created_key, key_list
from identity.operations.spaces import manage_spaces
from identity.values.errors import BadInput, KeyNotFound

router = APIRouter(tags=["Keys"])


@router.post("/v1/keys", **described(CreatedKey, BadInput, status=201, takes=NewKey))
async def create_key(visit: ByAdmin, new: Annotated[NewKey, Depends(body(NewKey))]) -> Response:
    """Create a key; no later answer shows its secret."""
    made = await manage_spaces.create_key(visit.onefold.spaces, visit.caller, new.name, new.scopes)
    return answer(created_key(made), 201)


@router.get("/v1/keys", **described(KeyList))
async def list_keys(visit: ByAdmin) -> Response:
    """List the keys that are not revoked, oldest first."""
    return answer(key_list(await manage_spaces.list_keys(visit.onefold.spaces, visit.caller)))


@router.delete("/v1/keys/{key_id}", **described(None, KeyNotFound, status=204))
async def revoke_key(visit: ByAdmin, key_id: Segment) -> Response:
    """Revoke a key: at once in the process that answers, within two seconds in every other."""
    await manage_spaces.revoke_key(visit.onefold.spaces, visit.caller, key_id)
    visit.onefold.keys.revoked(key_id)
    return no_content()
