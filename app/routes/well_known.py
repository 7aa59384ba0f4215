"""The public keys with which anybody can check the signatures of this deployment."""

from fastapi import APIRouter, Response

from app.http.auth import ByAnyone
from app.http.openapi import described
from app.http.responses import answer
from app.schemas.privacy import PublicKeys
from identity.operations.privacy.issue_receipt import published_keys

router = APIRouter(tags=["Privacy"])


@router.get("/.well-known/onefold-keys.json", **described(PublicKeys, public=True))
async def get_signing_keys(onefold: ByAnyone) -> Response:
    """The public keys of receipts, former keys included."""
    return answer(PublicKeys(await published_keys(onefold.spaces)))
