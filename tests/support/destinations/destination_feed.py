"""A destination over HTTP that keeps what its feed delivers, and calls with statements of consent."""

from typing import Any

import httpx

from tests.app.conftest import Shop

PURPOSES = {
    "purposes": [
        {"id": "Marketing", "class": "ads"},
        {"id": "Product", "class": "analytics"},
        {"id": "Billing", "class": "necessary"},
    ]
}
MAIL = {"purposes": ["Marketing"], "traits": ["plan", "name"], "identifiers": ["email"]}


def statement(decisions: dict[str, bool] | None = None, **call: Any) -> dict[str, Any]:
    """A call, with the whole statement of a consent manager."""
    context = {} if decisions is None else {"context": {"consent": {"categoryPreferences": decisions}}}
    return {"type": "identify", **context, **call}


class Feed:
    """A destination that applies its feed as its documentation says."""

    def __init__(self, shop: Shop, name: str = "mail", **entitled: Any) -> None:
        self.shop, self.name = shop, name
        document = {**MAIL, **entitled}
        if not document["purposes"]:
            document.setdefault("without_consent", True)
        made = shop.ask("PUT", f"/v1/destinations/{name}", json=document)
        assert made.status_code == 201, made.text
        self.made = made.json()
        shop.keys[name] = self.made["secret"]
        self.cursor: str | None = None
        self.held: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}
        self.ops: list[str] = []

    def page(self, **given: Any) -> httpx.Response:
        """One page after where it is."""
        at = {} if self.cursor is None else {"cursor": self.cursor}
        return self.shop.ask("GET", "/v1/changes", self.name, params={**at, **given})

    def pull(self, **given: Any) -> list[dict[str, Any]]:
        """Reads the feed to its end and applies every entry."""
        lines: list[dict[str, Any]] = []
        while True:
            answer = self.page(**given)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            self.cursor = page["cursor"]
            lines += page["changes"]
            for line in page["changes"]:
                self.apply(line)
            if not page["has_more"]:
                return lines

    def apply(self, line: dict[str, Any]) -> None:
        """Takes one entry in."""
        id_, op = line["profile_id"], line["op"]
        self.ops.append(op)
        assert line["version"] >= self.versions.get(id_, 0)
        self.versions[id_] = line["version"]
        if op == "upsert":
            self.held[id_] = {"traits": line["traits"], "identifiers": line["identifiers"]}
        elif op in ("withdraw", "erase"):
            for each in (id_, *line["other_profile_ids"]):
                self.held.pop(each, None)
        elif op == "merge":
            for each in line["other_profile_ids"]:
                self.held.pop(each, None)

    def ack(self) -> dict[str, Any]:
        """Acknowledges every applied entry."""
        answer = self.shop.ask("POST", "/v1/changes/ack", self.name, json={"cursor": self.cursor})
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def look(self, ref: str) -> httpx.Response:
        """A profile as it may see it."""
        return self.shop.ask("GET", f"/v1/destination/profiles/{ref}", self.name)
