"""What the collection routes answer, and the profile they leave."""

from urllib.parse import quote

import httpx

from tests.app.conftest import Shop


def read(shop: Shop, identifier: str) -> httpx.Response:
    """The profile of an identifier."""
    return shop.ask("GET", f"/v1/profiles/{quote(identifier, safe='')}", "profiles")


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose shape SDKs rely on."""
    document = answer.json()
    assert set(document) == {"success", "code", "message"}
    assert document["success"] is False
    assert isinstance(document["message"], str)
    return answer.status_code, document["code"]
