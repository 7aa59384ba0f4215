"""Random values planted where data leaves for others: purposes, destinations, decisions, and the feed.

A destination is shown somebody with its own key, so that there is a record of what it was told, and
an erasure afterwards has somebody to tell. What it sees is theirs to see and is not kept here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from identity.values.errors import DatabaseUnavailable

KINDS: Final = (
    "purpose", "region in error", "purposes in error", "trait of a destination", "type of a destination",
    "callback address of a destination", "destination in error", "consent evidence", "name in consent evidence",
    "jurisdiction in error", "consent string", "profile a destination asks for", "cursor of a destination",
    "trait in a question", "identifier in a question",
)  # fmt: skip
_SECRET: Final = re.compile(rb'"secret":"([^"]+)"')
_CURSOR: Final = re.compile(rb'"cursor":"([^"]+)"')
_OK: Final = 200
_PUT: Final = "/v1/destinations/canary"


def plant(
    v: Mapping[str, str],
    email: str,
    ask: Callable[..., tuple[int, bytes]],
    must: Callable[..., None],
    send: Callable[..., int],
) -> None:
    """Puts each value where it belongs, about the person of the planted user id and e-mail.

    `ask(key, method, path, body, headers)` makes a request, `must` one that has to be taken, and `send`
    one that may be refused, of which the refusal is kept. DatabaseUnavailable where one is not taken.
    """
    _purposes(v, must, send)
    _decisions(v, must, send)
    secret = _destination(v, ask, must, send)
    _shown(v, email, secret, ask, must, send)


def _purposes(v: Mapping[str, str], must: Callable[..., None], send: Callable[..., int]) -> None:
    purposes = {"purposes": [{"id": v["purpose"], "class": "ads", "ttl_days": 30}]}
    must("admin", "PUT", "/v1/purposes", purposes | {"regions": {"DE": "deny", "US-CA": {"ads": "allow"}}})
    send("admin", "PUT", "/v1/purposes", purposes | {"regions": {v["region in error"]: "deny"}})
    send("admin", "PUT", "/v1/purposes", {"purposes": [{"id": "a", "class": v["purposes in error"]}]})


def _decisions(v: Mapping[str, str], must: Callable[..., None], send: Callable[..., int]) -> None:
    person = f"user_id:{v['user id']}"
    said = {
        "identifier": person,
        "decisions": {v["purpose"]: True},
        "jurisdiction": "DE",
        "evidence": {v["name in consent evidence"]: [v["consent evidence"]]},
    }
    must("privacy", "POST", "/v1/consent", said)
    send("privacy", "POST", "/v1/consent", said | {"jurisdiction": v["jurisdiction in error"]})
    signal = {"consent": {"tcf": v["consent string"], "categoryPreferences": {v["purpose"]: True}}}
    must("write", "POST", "/v1/identify", {"userId": v["user id"], "context": signal})
    must("privacy", "GET", f"/v1/consent/{quote(person, safe='')}")


def _destination(
    v: Mapping[str, str], ask: Callable[..., tuple[int, bytes]], must: Callable[..., None], send: Callable[..., int]
) -> str:
    """The destination; its key."""
    wanted = {
        "purposes": [v["purpose"]],
        "traits": [v["trait name"], v["trait of a destination"]],
        "identifiers": ["user_id", "email", v["type of a destination"]],
    }
    _, told = ask("admin", "PUT", _PUT, wanted, {})
    # A callback may be refused since nobody can be found there; either way nothing of it is left in clear.
    address = f"https://canary.example/{v['callback address of a destination']}"
    send("admin", "PUT", f"{_PUT}-called", wanted | {"callback_url": address})
    send("admin", "PUT", _PUT, wanted | {v["destination in error"]: 1})
    must("admin", "GET", _PUT)
    found = _SECRET.search(told)
    return "none" if found is None else found[1].decode()


def _shown(
    v: Mapping[str, str],
    email: str,
    secret: str,
    ask: Callable[..., tuple[int, bytes]],
    must: Callable[..., None],
    send: Callable[..., int],
) -> None:
    """What the destination is shown, and what it asks for in vain."""
    status, told = ask(secret, "GET", "/v1/changes", None, {})
    if status != _OK:
        raise DatabaseUnavailable
    place = _CURSOR.search(told)
    must(secret, "POST", "/v1/changes/ack", {"cursor": "" if place is None else place[1].decode()})
    must(secret, "GET", f"/v1/destination/profiles/{quote(f'email:{email}', safe='')}")
    unknown = f"user_id:{v['profile a destination asks for']}"
    must(secret, "POST", "/v1/destination/profiles/lookup", {"identifiers": [f"user_id:{v['user id']}", unknown]})
    send(secret, "GET", f"/v1/destination/profiles/{quote(unknown, safe='')}")
    send(secret, "GET", f"/v1/changes?cursor={v['cursor of a destination']}")
    for asked in (
        {"identifier": f"user_id:{v['user id']}", "trait": v["trait name"]},
        {"identifier": f"user_id:{v['identifier in a question']}", "trait": v["trait in a question"]},
        {"identifier": v["identifier in a question"], "trait": v["trait in a question"]},
    ):
        send("admin", "GET", f"{_PUT}/explain?{urlencode(asked)}")
