"""Plants people: every kind of identifier, trait, group, consent and context, and merges between two people."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from app.commands.leak_scan.planter import PlantedPerson, Planter

_OUTCOMES: Final = {"Prefer": "return=representation"}


def plant_person(planter: Planter) -> PlantedPerson:
    """Plant one person through every collection route."""
    new, values = planter.new, planter.values
    person = PlantedPerson(
        user=new("user id", hashed=True),
        anonymous=new("anonymous id", hashed=True),
        email=f"{new('e-mail', hashed=True)}@{new('e-mail domain', small=True)}.example",
        phone=values.phone(),
        group=new("group id", hashed=True),
    )
    for identifier in (person.email, f"user_id:{person.user}", f"email:{person.email.lower()}"):
        values.hash(identifier)
    context = _context(planter)
    traits = {
        "email": person.email,
        "phone": person.phone,
        new("trait name"): new("trait value"),
        "address": {
            "street": new("nested trait value"),
            new("nested trait name"): [{"x": [new("value in a list")]}],
        },
        "name": new("name"),
        "bio": new("long trait value") + "x" * 20_000,
    }
    base = {"userId": person.user, "anonymousId": person.anonymous, "context": context}
    message = new("message id", hashed=True)
    planter.must("write", "POST", "/v1/identify", {**base, "traits": traits, "messageId": message})
    event = {
        "anonymousId": person.anonymous,
        "event": new("event name"),
        "messageId": new("message id", hashed=True),
        "properties": {
            new("property name"): new("property value"),
            "email": f"{new('property e-mail')}@x.example",
        },
        "timestamp": "2026-01-01T00:00:00Z",
        "integrations": {new("integration"): True},
    }
    planter.must("write", "POST", "/v1/track", event)
    planter.must("write", "POST", "/v1/track", {**base, "event": new("event name")})
    page = {
        "anonymousId": person.anonymous,
        "name": new("page name"),
        "category": new("page category"),
        new("unknown field"): new("unknown value"),
    }
    planter.must("write", "POST", "/v1/page", page)
    planter.must("write", "POST", "/v1/screen", {"userId": person.user, "name": new("screen name")})
    group = {new("group trait name"): new("group trait value"), "name": new("group name")}
    planter.must("write", "POST", "/v1/group", {**base, "groupId": person.group, "traits": group})
    alias = {"userId": person.user, "previousId": new("previous id", hashed=True)}
    planter.must("import", "POST", "/v1/alias", alias)
    return person


def _context(planter: Planter) -> dict[str, Any]:
    new = planter.new
    external = {
        "id": new("custom identifier", hashed=True),
        "type": new("identifier type", small=True),
        "collection": "users",
        "encoding": "none",
    }
    return {
        "ip": planter.values.ip(),
        "userAgent": f"Mozilla/5.0 ({new('user agent')})",
        "page": {"url": f"https://shop.example/?q={new('address query')}", "referrer": new("referrer")},
        "device": {
            "id": new("device id", hashed=True),
            "advertisingId": new("advertising id", hashed=True),
            "token": new("push token"),
        },
        "externalIds": [external],
        "consent": {"categoryPreferences": {new("consent category"): True, new("consent category"): False}},
        "traits": {new("context trait"): new("context trait value")},
        new("context field"): {"deep": [new("context value")]},
    }


def plant_merges(planter: Planter, one: PlantedPerson, other: PlantedPerson) -> None:
    """Plant aliases, merges and calls that are not taken in batches, with the server's key and a browser's."""
    new = planter.new
    stray = new("anonymous id", hashed=True)
    items = [
        {"type": "alias", "userId": one.user, "previousId": new("previous id", hashed=True)},
        {"type": "alias", "userId": one.user, "previousId": other.anonymous},
        {"type": "screen", "anonymousId": stray, "name": new("screen name")},
        {"type": "identify", "anonymousId": stray, "traits": {"email": one.email}},
        {"type": "identify", "userId": one.user, "traits": {"email": other.email.upper()}},
        {"type": "identify", "traits": {new("trait of nobody"): 1}},
        {"type": new("rejected type"), "userId": new("user of a rejected call")},
        {"type": "track", "event": new("event"), "userId": {"no": new("rejected user id")}},
        {"type": "track", "event": {"no": new("rejected value")}, "userId": [new("rejected value")]},
        {
            "type": "track",
            "userId": new("user of a large call"),
            "event": "x",
            "properties": {"x": new("large value") * 2000},
        },
        {
            "type": "identify",
            "userId": new("user of many traits"),
            "traits": {new("many traits") + str(n): n for n in range(400)},
        },
        {
            "type": "identify",
            "userId": new("user of rejected traits"),
            "traits": {"email": new("no e-mail"), "phone": new("no phone")},
        },
        new("item that is text"),
    ]
    batch = {"batch": items, "context": {"campaign": new("envelope context")}, "sentAt": new("sent at")}
    for key, path in (("import", "/v1/batch"), ("import", "/v1/import"), ("write", "/v1/batch")):
        planter.send(key, "POST", path, batch, _OUTCOMES)
    packed = gzip.compress(json.dumps({"userId": one.user, "event": new("packed event")}).encode())
    planter.send("write", "POST", "/v1/track", packed, {"Content-Encoding": "gzip"})


def plant_race(planter: Planter) -> None:
    """Plant the same new people from many connections at once, so that unique keys collide."""
    users = [planter.new("raced user id", hashed=True) for _ in range(6)]

    def send(number: int) -> None:
        user = users[number % 6]
        body = {"userId": user, "traits": {"email": f"{user}@race.example"}, "messageId": user + str(number % 12)}
        planter.send("write", "POST", "/v1/identify", body)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(96)))
