"""An unmerge over HTTP, and the profiles it leaves."""

from typing import Any
from urllib.parse import quote

from tests.app.conftest import Shop


def ids(profile: dict[str, Any]) -> set[str]:
    """The identifiers of a profile."""
    return {f"{each['type']}:{each['value']}" for each in profile["identifiers"]}


def get(shop: Shop, ref: str) -> dict[str, Any]:
    """A profile."""
    answer = shop.ask("GET", f"/v1/profiles/{quote(ref, safe='')}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def unmerge(shop: Shop, *named: str, block: bool = True, key: str = "privacy") -> dict[str, Any]:
    """Parts these identifiers from their profile."""
    answer = shop.ask("POST", "/v1/profiles/unmerge", key, json={"identifiers": named, "block": block})
    assert answer.status_code == 200, answer.text
    parted: dict[str, Any] = answer.json()
    return parted
