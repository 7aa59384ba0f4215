"""A scenario of the battery over HTTP: its calls and acts, and the profiles afterwards."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from tests.app.conftest import Shop
from tests.support.planning.scenarios import RECEIVED, expand

BATCH = 250
MANY = 400


def send(shop: Shop, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """History calls, and what became of each."""
    items = [{"receivedAt": RECEIVED, **call} for call in calls]
    prefer = {"Prefer": "return=representation"}
    answer = shop.ask("POST", "/v1/import", "import", json={"batch": items}, headers=prefer)
    assert answer.status_code == 200, answer.text
    outcomes: list[dict[str, Any]] = answer.json()["outcomes"]
    assert len(outcomes) == len(items)
    return outcomes


def do(shop: Shop, call: dict[str, Any]) -> list[dict[str, Any]]:
    """A call, or what a person does between the calls."""
    if call["type"] == "$unmerge":
        wanted = {"identifiers": call["ids"], "block": call.get("block", True)}
        answer = shop.ask("POST", "/v1/profiles/unmerge", json=wanted)
    elif call["type"] == "$remove_identifier":
        block = "true" if call.get("block") else "false"
        answer = shop.ask("DELETE", f"/v1/identifiers/{quote(call['id'], safe='')}?block={block}")
    elif call["type"] == "$delete":
        wanted = {"identifiers": [call["id"]], "suppress": call.get("suppress", True)}
        assert shop.ask("POST", "/v1/erasures", "privacy", json=wanted).status_code == 202
        return []
    elif call["type"] == "$unsuppress":
        answer = shop.ask("DELETE", "/v1/suppressions", "privacy", json={"identifiers": call["ids"]})
    else:
        return send(shop, [call])
    assert answer.status_code == 200, answer.text
    return []


def play(shop: Shop, scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """Sends the calls of a scenario as it asks for; returns all outcomes."""
    if scenario.get("config"):
        rules = shop.ask("GET", "/v1/rules").json()
        assert shop.ask("PUT", "/v1/rules", json={**rules, **scenario["config"]}).status_code == 200
    calls = list(expand(scenario["calls"]))
    if scenario.get("mode") == "parallel" and len(calls) <= MANY:
        with ThreadPoolExecutor(16) as pool:
            return [outcome for outcomes in pool.map(lambda call: do(shop, call), calls) for outcome in outcomes]
    if any(call["type"].startswith("$") for call in calls):
        return [outcome for call in calls for outcome in do(shop, call)]
    if len(calls) > MANY:
        parts = [calls[at : at + BATCH] for at in range(0, len(calls), BATCH)]
    else:
        parts = [[call] for call in calls]
    if scenario.get("mode") == "parallel":
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda part: send(shop, part), parts))
    else:
        answers = [send(shop, part) for part in parts]
    return [outcome for outcomes in answers for outcome in outcomes]


def listed(shop: Shop) -> list[dict[str, Any]]:
    """Every profile of the space."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        page = shop.ask("GET", "/v1/profiles", params=params).json()
        found += page["profiles"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def written(profile: dict[str, Any]) -> list[str]:
    """The identifiers of a profile as the battery writes them."""
    return sorted(f"{each['type']}:{each['value']}" for each in profile["identifiers"])
