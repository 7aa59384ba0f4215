"""Collection under hostile bodies: no 500, no lost valid call in the same batch, no growth of memory."""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import Running
from tests.end_to_end.fuzz.hostile import damaged, deep, good, hostile

SOAK_SECONDS = 600
MOST_BODY = 500 * 1024
MOST_DEPTH = 700
PREFER = {"Prefer": "return=representation"}


class Target:
    """A space of a running server, and what it must hold."""

    def __init__(self, running: Running, seed: int) -> None:
        self.process = psutil.Process(running.process.pid)
        self.rng = random.Random(seed)
        self.client = httpx.Client(base_url=running.url, timeout=60)
        operator = {"Authorization": f"Bearer {running.admin_token}"}
        keys = self.client.post("/v1/spaces", json={"name": "fuzz"}, headers=operator).json()["keys"]
        self.writer, self.reader = (keys["import"], ""), (keys["profiles"], "")
        self.rounds = 0

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """One batch; whatever it holds, the answer is one that an SDK understands."""
        sent = {**PREFER, **{name: value.encode("latin-1") for name, value in (headers or {}).items()}}
        answer = self.client.post("/v1/batch", content=body, headers=sent, auth=self.writer)  # type: ignore[arg-type]
        assert answer.status_code in (200, 400), (answer.status_code, answer.text, body[:2_000])
        error = answer.json()
        if answer.status_code == 400:
            assert error["success"] is False
            assert error["code"]
            assert error["message"]
        return answer

    def round(self) -> None:
        """One hostile item among neighbours, or one damaged body."""
        self.rounds += 1
        # So far from every other that no damage turns one into another.
        user = f"good-{self.rng.getrandbits(64):016x}"
        neighbours = [json.dumps(good(user, f"{user}-{at}", self.rng)) for at in range(self.rng.randint(2, 5))]
        if self.rng.random() < 0.5:
            self._among(user, neighbours)
        else:
            self._damaged(user, neighbours)

    def _among(self, user: str, neighbours: list[str]) -> None:
        levels = self.rng.choice((100, 600, 5_000))
        bad = deep(levels) if self.rng.random() < 0.05 else hostile(self.rng)
        at = self.rng.randint(0, len(neighbours))
        items = [*neighbours[:at], bad, *neighbours[at:]]
        body = f'{{"batch":[{",".join(items)}]}}'.encode()
        answer = self.send(body)
        if answer.status_code == 400:
            # Only what cannot be read as a whole: too large, too deep, a number beyond every float.
            unreadable = len(body) > MOST_BODY or bad.startswith(deep(MOST_DEPTH)[:3_000]) or "1e400" in bad
            assert unreadable, (answer.text, bad[:2_000])
            answer = self.send(f'{{"batch":[{",".join(neighbours)}]}}'.encode())
            outcomes = answer.json()["outcomes"]
        else:
            outcomes = answer.json()["outcomes"]
            assert len(outcomes) == len(items)
            del outcomes[at]
        assert [each["status"] for each in outcomes] == ["accepted"] * len(neighbours), (outcomes, bad[:2_000])
        self._holds(user, len(neighbours))

    def _damaged(self, user: str, neighbours: list[str]) -> None:
        whole = f'{{"batch":[{",".join(neighbours)}]}}'.encode()
        answer = self.send(*damaged(whole, self.rng))
        again = self.send(whole).json()["outcomes"]
        # What was refused left nothing behind; what was taken is known.
        allowed = {"accepted"} if answer.status_code == 400 else {"accepted", "duplicate"}
        assert {each["status"] for each in again} <= allowed, (answer.text, again)
        if answer.status_code == 400:
            self._holds(user, len(neighbours))

    def _holds(self, user: str, calls: int) -> None:
        profile: dict[str, Any] = self.client.get(f"/v1/profiles/user_id:{user}", auth=self.reader).json()
        assert profile["event_count"] == calls

    def memory(self) -> int:
        """Resident bytes of the server and its workers."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_info().rss for each in family if "postgres" not in each.name())


def test_hostile_bodies_do_no_harm(server: Callable[..., Running]) -> None:
    """Two hundred bodies of a fresh seed; the seed is in the message of a failure."""
    seed = random.SystemRandom().randrange(2**32)
    target = Target(server(), seed)
    with closing(target.client), _noted(target, seed):
        for _ in range(200):
            target.round()


@pytest.mark.soak
def test_hostile_bodies_for_ten_minutes(server: Callable[..., Running]) -> None:
    """The same for long, with memory watched: after a minute it may not grow by more than a tenth."""
    seed = random.SystemRandom().randrange(2**32)
    target = Target(server(), seed)
    started = time.monotonic()
    warm = 0
    with closing(target.client), _noted(target, seed):
        while (passed := time.monotonic() - started) < SOAK_SECONDS:
            target.round()
            if not warm and passed > SOAK_SECONDS / 10:
                warm = target.memory()
    assert warm > 0
    assert target.memory() < warm * 1.1


@contextmanager
def _noted(target: Target, seed: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(f"seed {seed}, round {target.rounds}")
        raise
