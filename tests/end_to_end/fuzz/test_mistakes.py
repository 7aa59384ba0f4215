"""Mistaken calls, made from the OpenAPI document and the format of calls: each answer helps, and no call is lost."""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import pytest

from tests.app.conftest import new_shop
from tests.conftest import Running
from tests.support.http.api_document import api_document
from tests.support.http.mistaken_calls import VALID, MistakenCall, mistaken_item, native_mistakes

SOAK_SECONDS = 600
ITEMS = 40
PRIVACY = ("/v1/erasures", "/v1/suppressions", "/v1/holds", "/v1/exports", "/v1/consent")
REFUSED = (400, 404, 409, 422)
LISTED = ("rejected", "suppressed", "unresolved")


class Mistaken:
    """A space that receives mistaken calls, and the count of what was sent to it."""

    def __init__(self, client: httpx.Client, running: Running, seed: int) -> None:
        self.rng = random.Random(seed)
        self.shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        self.shop.keys["operator"] = running.admin_token
        purposes = VALID["PUT", "/v1/purposes"]
        assert self.shop.ask("PUT", "/v1/purposes", json=purposes).status_code == 200
        document = VALID["PUT", "/v1/destinations/{name}"]
        self.shop.keys["mail"] = self.shop.ask("PUT", "/v1/destinations/mail", json=document).json()["secret"]
        legal = self.shop.ask("POST", "/v1/keys", json={"name": "legal", "scopes": ["legal:read"]}).json()
        self.shop.keys["legal"] = legal["secret"]
        named = {"identifiers": ["user_id:u7"]}
        assert self.shop.ask("POST", "/v1/suppressions", "privacy", json=named).status_code == 200
        self.sent = 0
        self.statuses: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()

    def native(self) -> None:
        """Every native route with each of its mistakes."""
        unhelpful: list[tuple[MistakenCall, int, str]] = []
        for wrong in native_mistakes(api_document(), self.rng):
            answer = self.shop.ask(wrong.method, wrong.path, self._key(wrong), params=dict(wrong.query), **_body(wrong))
            self.answers[answer.status_code] += 1
            helps = answer.status_code in REFUSED and any(name in answer.text for name in wrong.names)
            if not helps:
                unhelpful.append((wrong, answer.status_code, answer.text))
        assert not unhelpful, "\n".join(map(str, unhelpful))

    def _key(self, wrong: MistakenCall) -> str:
        scopes = {each for way in _security(wrong) for each in way.get("key", ())}
        if wrong.template.startswith("/v1/spaces") or wrong.template == "/metrics":
            return "operator"
        if any(scope.startswith("destination:") for scope in scopes):
            return "mail"
        if scopes == {"legal:read"}:
            return "legal"
        return "privacy" if wrong.template.startswith(PRIVACY) else "admin"

    def calls(self) -> None:
        """A batch of mistaken calls: each has an outcome, and each outcome that is not accepted has a reason."""
        items = [mistaken_item(self.sent + at, self.rng) for at in range(ITEMS)]
        outcomes = self.shop.send(*items)
        assert len(outcomes) == len(items)
        self.sent += len(items)
        for item, outcome in zip(items, outcomes, strict=True):
            self.statuses[outcome["status"]] += 1
            if outcome["status"] == "rejected":
                assert outcome["reason"], (item, outcome)
            if outcome["status"] == "unresolved":
                assert outcome["reason"] or outcome["demoted"], (item, outcome)

    def settle(self) -> None:
        """Accepted, rejected, suppressed and unresolved calls are all that was sent, and each is stored or listed."""
        assert set(self.statuses) <= {"accepted", *LISTED}
        assert sum(self.statuses.values()) == self.sent
        stored = sum(each["event_count"] for each in self._pages("/v1/profiles", "profiles"))
        assert stored == self.statuses["accepted"], (stored, self.statuses)
        listed = Counter(each["status"] for each in self._pages("/v1/rejections", "rejections"))
        assert {name: listed[name] for name in LISTED} == {name: self.statuses[name] for name in LISTED}

    def _pages(self, path: str, field: str) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            asked = {"limit": "1000"} | ({} if cursor is None else {"cursor": cursor})
            page = self.shop.ask("GET", path, params=asked).json()
            yield from page[field]
            cursor = page["next_cursor"]
            if cursor is None:
                return


def _security(wrong: MistakenCall) -> list[dict[str, list[str]]]:
    found: list[dict[str, list[str]]] = api_document()["paths"][wrong.template][wrong.method.lower()].get(
        "security", []
    )
    return found


def _body(wrong: MistakenCall) -> dict[str, Any]:
    return {} if wrong.body is None else {"content": msgspec.json.encode(wrong.body)}


def test_every_mistake_in_a_field_is_answered_with_its_name_and_no_call_is_lost(
    client: httpx.Client, live: Running
) -> None:
    """Each field of each native route once in each way, and some hundred calls; a failure names the seed."""
    with _mistaken(client, live) as mistaken:
        mistaken.native()
        for _ in range(10):
            mistaken.calls()
        mistaken.settle()


@pytest.mark.soak
@pytest.mark.timeout(SOAK_SECONDS * 3)
def test_mistakes_for_ten_minutes(client: httpx.Client, live: Running) -> None:
    """The same generator, with other slips in each round; the output (`-rP`) has how many there were."""
    until = time.monotonic() + SOAK_SECONDS
    with _mistaken(client, live) as mistaken:
        while time.monotonic() < until:
            mistaken.native()
            for _ in range(20):
                mistaken.calls()
        mistaken.settle()
    sys.stdout.write(f"native answers {dict(mistaken.answers)}, calls {dict(mistaken.statuses)}\n")


@contextmanager
def _mistaken(client: httpx.Client, running: Running) -> Iterator[Mistaken]:
    seed = random.SystemRandom().randrange(2**32)
    mistaken = Mistaken(client, running, seed)
    try:
        yield mistaken
    except Exception as error:
        error.add_note(f"seed {seed}, {mistaken.sent} calls")
        raise
