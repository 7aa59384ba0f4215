"""What anybody may fetch to check what this deployment has signed."""

from fastapi import APIRouter, Response

from app.auth import ByAnyone
from app.openapi import described
from app.privacy_shapes import PublicKeys
from app.routes.answers import answer
from identity.operations.privacy.issue_receipt import published

router = APIRouter(tags=["Privacy"])


@router.get("/.well-known/onefold-keys.json", **described(PublicKeys, public=True))
async def keys(onefold: ByAnyone) -> Response:
    """The public keys of receipts, those of old too."""
    return answer({"keys": await published(onefold.spaces)})
