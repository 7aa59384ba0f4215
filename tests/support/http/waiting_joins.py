"""A person with an address, a device that claims the address with a public key, and what people decide on the join."""

from typing import Any
from urllib.parse import quote

from tests.app.conftest import Shop

ANN = {"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example"}}
CLAIM = {"type": "identify", "anonymousId": "tablet", "traits": {"email": "ann@shop.example"}}


def public(shop: Shop, *calls: dict[str, Any]) -> None:
    """Calls as one batch with the key that stands in every page."""
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": calls}).status_code == 200


def joins(shop: Shop, state: str = "waiting") -> list[dict[str, Any]]:
    """The joins in a state."""
    answer = shop.ask("GET", f"/v1/joins?state={state}", "privacy")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["joins"]
    return found


def decide(shop: Shop, join: dict[str, Any], decision: str, status: int = 200) -> dict[str, Any]:
    """The answer to a decision."""
    answer = shop.ask("POST", f"/v1/joins/{join['join_id']}/{decision}", "privacy", json={"reason": "asked her"})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def profile_id(shop: Shop, ref: str) -> str:
    """The id of the profile of an identifier."""
    id_: str = shop.ask("GET", f"/v1/profiles/{quote(ref, safe=':')}", "profiles").json()["profile_id"]
    return id_


def rebuild(shop: Shop) -> None:
    """Rebuild the space under its rules."""
    job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
