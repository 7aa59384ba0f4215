"""The keys that sign identity tokens, for the admin of a space."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.http.auth import ByAdmin
from app.http.openapi import body, described
from app.http.responses import Segment, answer, no_content
from app.schemas.api_keys import (
    CreatedIdentityKey,
    IdentityKeyList,
    NewIdentityKey,
    created_identity_key,
    identity_key_list,
)
from identity.operations.spaces import manage_identity_keys
from identity.values.identity_tokens.refusals import BadIdentityKey, IdentityKeyNotFound, TooManyIdentityKeys

router = APIRouter(tags=["Keys"])


@router.post(
    "/v1/identity-keys",
    **described(CreatedIdentityKey, BadIdentityKey, TooManyIdentityKeys, status=201, takes=NewIdentityKey),
)
async def add_identity_key(visit: ByAdmin, new: Annotated[NewIdentityKey, Depends(body(NewIdentityKey))]) -> Response:
    """Add a key that signs identity tokens; no later answer shows its secret. At most two are in force."""
    space = visit.space
    made = await manage_identity_keys.add_identity_key(
        space, new.algorithm, new.name.strip(), new.public_key, visit.caller.key_id
    )
    return answer(created_identity_key(made), 201)


@router.get("/v1/identity-keys", **described(IdentityKeyList))
async def list_identity_keys(visit: ByAdmin) -> Response:
    """List the identity keys in force, oldest first."""
    return answer(identity_key_list(await manage_identity_keys.list_identity_keys(visit.space)))


@router.delete("/v1/identity-keys/{key_id}", **described(None, IdentityKeyNotFound, status=204))
async def end_identity_key(visit: ByAdmin, key_id: Segment) -> Response:
    """End an identity key: at once in the process that answers, within two seconds in every other."""
    await manage_identity_keys.end_identity_key(visit.space, key_id, visit.caller.key_id)
    return no_content()
