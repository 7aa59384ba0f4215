"""Plants values where data leaves for others: purposes, decisions, destinations and the feed.

A destination reads a person with its own key, so there is a disclosure, and an erasure afterwards has a
destination to notify. What the destination reads is its own to keep and is not searched.
"""

import re
from typing import Final
from urllib.parse import quote, urlencode

from app.commands.leak_scan.planter import PlantedPerson, Planter

_SECRET: Final = re.compile(rb'"secret":"([^"]+)"')
_CURSOR: Final = re.compile(rb'"cursor":"([^"]+)"')
_CANARY: Final = "/v1/destinations/canary"


def plant_disclosures(planter: Planter, person: PlantedPerson) -> None:
    """Plant a purpose, a decision about the person, a destination for it, and everything that it asks for."""
    purpose = _purposes(planter)
    _decisions(planter, person, purpose)
    trait = planter.new("trait name")
    planter.must("write", "POST", "/v1/identify", {"userId": person.user, "traits": {trait: "x"}})
    secret = _destination(planter, purpose, trait)
    _disclosed(planter, person, secret)
    for asked in (
        {"identifier": f"user_id:{person.user}", "trait": trait},
        {
            "identifier": f"user_id:{planter.new('identifier in a question')}",
            "trait": planter.new("trait in a question"),
        },
        {"identifier": planter.new("identifier in a question"), "trait": planter.new("trait in a question")},
    ):
        planter.send("admin", "GET", f"{_CANARY}/explain?{urlencode(asked)}")


def _purposes(planter: Planter) -> str:
    new = planter.new
    purpose = new("purpose", small=True)
    purposes = {"purposes": [{"id": purpose, "class": "ads", "ttl_days": 30}]}
    regions = {"DE": "deny", "US-CA": {"ads": "allow"}}
    planter.must("admin", "PUT", "/v1/purposes", {**purposes, "regions": regions})
    planter.send("admin", "PUT", "/v1/purposes", {**purposes, "regions": {new("region in error"): "deny"}})
    planter.send("admin", "PUT", "/v1/purposes", {"purposes": [{"id": "a", "class": new("purposes in error")}]})
    return purpose


def _decisions(planter: Planter, person: PlantedPerson, purpose: str) -> None:
    new = planter.new
    identifier = f"user_id:{person.user}"
    decision = {
        "identifier": identifier,
        "decisions": {purpose: True},
        "jurisdiction": "DE",
        "evidence": {new("name in consent evidence"): [new("consent evidence")]},
    }
    planter.must("privacy", "POST", "/v1/consent", decision)
    planter.send("privacy", "POST", "/v1/consent", {**decision, "jurisdiction": new("jurisdiction in error")})
    signal = {"consent": {"tcf": new("consent string"), "categoryPreferences": {purpose: True}}}
    planter.must("write", "POST", "/v1/identify", {"userId": person.user, "context": signal})
    planter.must("privacy", "GET", f"/v1/consent/{quote(identifier, safe='')}")


def _destination(planter: Planter, purpose: str, trait: str) -> str:
    """Set up the destination; returns its key."""
    new = planter.new
    type_ = new("type of a destination", small=True)
    # A destination names only types that the space knows.
    planter.must("admin", "PATCH", "/v1/rules", {"limits": {type_: {"max": 3, "days": 7}}})
    wanted = {
        "purposes": [purpose],
        "traits": [trait, new("trait of a destination")],
        "identifiers": ["user_id", "email", type_],
    }
    _, answer = planter.answer("admin", "PUT", _CANARY, wanted)
    # A callback may be refused where its host has no address; either way nothing of it may be in clear.
    address = f"https://canary.example/{new('callback address of a destination')}"
    planter.send("admin", "PUT", f"{_CANARY}-called", {**wanted, "callback_url": address})
    planter.send("admin", "PUT", _CANARY, {**wanted, new("destination in error"): 1})
    planter.must("admin", "GET", _CANARY)
    found = _SECRET.search(answer)
    return "none" if found is None else found[1].decode()


def _disclosed(planter: Planter, person: PlantedPerson, secret: str) -> None:
    """Read as the destination: what it may see, and what it asks for in vain."""
    cursor = _CURSOR.search(planter.must(secret, "GET", "/v1/changes"))
    acknowledged = {"cursor": "" if cursor is None else cursor[1].decode()}
    planter.must(secret, "POST", "/v1/changes/ack", acknowledged)
    planter.must(secret, "GET", f"/v1/destination/profiles/{quote(f'user_id:{person.user}', safe='')}")
    # A call of the server may have taken the address over from the public key that linked it.
    planter.send(secret, "GET", f"/v1/destination/profiles/{quote(f'email:{person.email}', safe='')}")
    unknown = f"user_id:{planter.new('profile a destination asks for')}"
    lookup = {"identifiers": [f"user_id:{person.user}", unknown]}
    planter.must(secret, "POST", "/v1/destination/profiles/lookup", lookup)
    planter.send(secret, "GET", f"/v1/destination/profiles/{quote(unknown, safe='')}")
    planter.send(secret, "GET", f"/v1/changes?cursor={planter.new('cursor of a destination')}")
