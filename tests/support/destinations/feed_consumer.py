"""A destination that applies each entry of the feed as the README says, and the state it should reach."""

from collections.abc import Iterator
from typing import Any

import httpx

from tests.app.conftest import Shop

PURPOSES = {"purposes": [{"id": "Marketing", "class": "ads"}]}
ALL = {"purposes": ["Marketing"], "traits": ["*"], "identifiers": ["*"]}
Held = dict[str, tuple[dict[str, Any], list[tuple[str, str]]]]


class Away(Exception):
    """The server could not answer: ask again."""


class Consumer:
    """Reads the feed of a destination from its beginning; `client` asks one server, `held` is what it keeps."""

    def __init__(self, shop: Shop, secret: str, client: httpx.Client | None = None) -> None:
        self.client = client or shop.client
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.cursor: str | None = None
        self.held: Held = {}
        self.versions: dict[str, int] = {}
        self.lines = 0

    def page(self, **given: Any) -> dict[str, Any]:
        """The next page, not yet applied."""
        at = {} if self.cursor is None else {"cursor": self.cursor}
        answer = self.client.get("/v1/changes", params={**at, **given}, headers=self.headers)
        if answer.status_code in (429, 503):
            raise Away
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def take(self, page: dict[str, Any]) -> None:
        """Applies a page, in the order of its lines, and goes on after it."""
        for line in page["changes"]:
            self.apply(line)
        self.cursor = page["cursor"]

    def drain(self, limit: int = 200) -> None:
        """Takes everything there is."""
        more = True
        while more:
            page = self.page(limit=limit)
            self.take(page)
            more = page["has_more"]

    def apply(self, line: dict[str, Any]) -> None:
        """One line; of a profile an older version never comes after a newer one."""
        self.lines += 1
        id_, others = line["profile_id"], line["other_profile_ids"]
        assert line["version"] >= self.versions.get(id_, 0), (line["op"], line["version"], self.versions[id_])
        self.versions[id_] = line["version"]
        if line["op"] == "upsert":
            self.held[id_] = shown(line)
            return
        if line["op"] in ("withdraw", "erase"):
            self.held.pop(id_, None)
        if line["op"] in ("merge", "erase"):
            for other in others:
                self.held.pop(other, None)

    def ack(self) -> int:
        """Acknowledges every applied entry; returns the number of settled erasures."""
        answer = self.client.post("/v1/changes/ack", json={"cursor": self.cursor}, headers=self.headers)
        if answer.status_code in (429, 503):
            raise Away
        assert answer.status_code == 200, answer.text
        return int(answer.json()["erasures"])


def shown(seen: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The fields of a profile that the consumer keeps."""
    return seen["traits"], sorted((each["type"], each["value"]) for each in seen["identifiers"])


def people(shop: Shop) -> Iterator[str]:
    """The ids of all canonical profiles."""
    cursor: str | None = None
    while True:
        params = {"limit": 500} if cursor is None else {"limit": 500, "cursor": cursor}
        page = shop.ask("GET", "/v1/profiles", params=params).json()
        yield from (profile["profile_id"] for profile in page["profiles"])
        cursor = page["next_cursor"]
        if cursor is None:
            return


def readable(shop: Shop, secret: str) -> Held:
    """All data that a destination may read now, from a read of each profile."""
    found: Held = {}
    ids = list(people(shop))
    headers = {"Authorization": f"Bearer {secret}"}
    for at in range(0, len(ids), 500):
        part = {"identifiers": ids[at : at + 500]}
        answer = shop.client.post("/v1/destination/profiles/lookup", json=part, headers=headers)
        assert answer.status_code == 200, answer.text
        for id_, seen in answer.json()["profiles"].items():
            if seen is not None and seen["consent"] == "granted":
                found[id_] = shown(seen)
    return found


def destination(shop: Shop, name: str = "all", **entitled: Any) -> str:
    """A destination that may see everything of who granted Marketing; its secret."""
    if shop.ask("GET", "/v1/purposes").json()["version"] == 0:
        assert shop.ask("PUT", "/v1/purposes", json=PURPOSES).status_code == 200
    made = shop.ask("PUT", f"/v1/destinations/{name}", json={**ALL, **entitled})
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])
