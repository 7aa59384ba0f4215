"""The feed under writers, rollbacks and two servers: no entry is skipped or out of order."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest

from tests.app.conftest import Shop
from tests.concurrency.feed.conftest import Shops
from tests.conftest import Running
from tests.support.destinations.feed_consumer import Away, Consumer, destination, readable

WRITERS = 16
PEOPLE = 30
ENOUGH = 200  # batches


def call(rng: random.Random) -> dict[str, Any]:
    """Any call of anybody: consent given and taken, traits, devices that change hands."""
    person, device = f"p{rng.randrange(PEOPLE)}", f"d{rng.randrange(PEOPLE * 2)}"
    who = rng.choice([{"userId": person}, {"anonymousId": device}, {"userId": person, "anonymousId": device}])
    decided = {"consent": {"categoryPreferences": {"Marketing": rng.random() < 0.7}}}
    return {
        "type": "identify",
        "traits": {rng.choice("abc"): rng.randrange(100)} if rng.random() < 0.8 else {},
        **({"context": decided} if rng.random() < 0.3 else {}),
        **who,
    }


class Storm:
    """Everything at once, on two servers of one database, for some seconds and until enough was accepted."""

    def __init__(self, servers: list[Running], shop: Shop, database: str, seconds: float) -> None:
        self.servers, self.shop, self.database = servers, shop, database
        self.until = time.monotonic() + seconds
        self.errors: list[BaseException] = []
        self.erased: list[str] = []
        self.accepted = 0

    def run(self, *others: Callable[[], None]) -> None:
        """Runs it, with whatever else goes on meanwhile."""
        works = [
            *(lambda nr=nr: self.write(nr) for nr in range(WRITERS)),
            self.act,
            self.cut,
            *others,
        ]
        threads = [threading.Thread(target=self._held, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert self.errors == []

    def _held(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (the test reports it)
            self.errors.append(error)

    @property
    def going(self) -> bool:
        """True until the storm ends; a writer that fails ends it as well."""
        return not self.errors and (time.monotonic() < self.until or self.accepted < ENOUGH)

    def write(self, nr: int) -> None:
        """A writer, at one of the servers; what is refused it sends again."""
        rng = random.Random(nr)
        headers = {"Authorization": f"Bearer {self.shop.keys['import']}"}
        with httpx.Client(base_url=self.servers[nr % len(self.servers)].url, timeout=60, headers=headers) as client:
            while self.going:
                batch = {"batch": [call(rng) for _ in range(rng.randrange(1, 6))]}
                status = client.post("/v1/batch", json=batch).status_code
                assert status in (200, 429, 503)
                self.accepted += status == 200

    def act(self) -> None:
        """Acts of a privacy team: unmerge, record a decision, erase."""
        rng = random.Random("act")
        with httpx.Client(base_url=self.servers[-1].url, timeout=60) as client:
            shop = Shop(client, self.shop.space_id, self.shop.name, self.shop.keys)
            while self.going:
                person = f"user_id:p{rng.randrange(PEOPLE)}"
                kind = rng.random()
                if kind < 0.4:
                    decided = {"identifier": person, "decisions": {"Marketing": rng.random() < 0.5}}
                    answer = shop.ask("POST", "/v1/consent", "privacy", json=decided)
                elif kind < 0.8:
                    parted = {"identifiers": [f"anonymous_id:d{rng.randrange(PEOPLE * 2)}"], "block": False}
                    answer = shop.ask("POST", "/v1/profiles/unmerge", "privacy", json=parted)
                else:
                    wanted = {"identifiers": [person], "suppress": False}
                    answer = shop.ask("POST", "/v1/erasures", "privacy", json=wanted)
                    if answer.status_code == 202:
                        self.erased += [each["erasure_id"] for each in answer.json()["erasures"]]
                assert answer.status_code in (200, 202, 404, 409, 422, 429, 503), answer.text
                time.sleep(0.02)

    def cut(self) -> None:
        """Ends sessions of the database in the middle of whatever they do: it is rolled back.

        Between two ends something is accepted, so that the storm ends on a slow machine too.
        """
        with psycopg.connect(self.database, autocommit=True) as connection:
            while self.going:
                accepted = self.accepted
                with suppress(psycopg.Error):
                    connection.execute(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
                        ORDER BY random() LIMIT 1
                        """
                    )
                time.sleep(0.1)
                while self.accepted == accepted and self.going:
                    time.sleep(0.02)


def storm(server: Callable[..., Running], shops: Shops, database: str, seconds: float) -> None:
    """A storm, with one who follows it, and one who reads it afterwards."""
    servers = [server(ONEFOLD_MISS_RATE="0", ONEFOLD_READ_RATE="0", ONEFOLD_COLLECT_RATE="0") for _ in range(2)]
    shop = shops(servers[0])
    secret = destination(shop)
    raging = Storm(servers, shop, database, seconds)
    with httpx.Client(base_url=servers[1].url, timeout=60) as other:
        follower = Consumer(shop, secret)

        def follow() -> None:
            rng = random.Random("follow")
            while raging.going:
                follower.client = rng.choice([shop.client, other])
                try:
                    page = follower.page(limit=rng.choice([3, 50, 1000]))
                except Away:
                    continue
                # Now and then a page is lost on its way, and asked for again.
                if rng.random() < 0.8:
                    follower.take(page)
                    if rng.random() < 0.2:
                        with suppress(Away):
                            follower.ack()

        raging.run(follow)
        follower.client = shop.client
        follower.drain()
    wanted = readable(shop, secret)
    assert len(wanted) > 3
    assert follower.held == wanted
    late = Consumer(shop, secret)
    late.drain()
    assert late.held == wanted
    follower.ack()
    states = [shop.ask("GET", f"/v1/erasures/{id_}", "privacy").json() for id_ in raging.erased]
    assert {each["status"] for state in states for each in state["destinations"]} <= {"done"}


def test_consumers_hold_what_may_be_read_after_a_storm(
    server: Callable[..., Running], shops: Shops, database: str
) -> None:
    """Sixteen writers, rollbacks and acts: who follows, and who comes late, hold just what may be read."""
    storm(server, shops, database, 2)


@pytest.mark.soak
def test_consumers_hold_what_may_be_read_after_a_long_storm(
    server: Callable[..., Running], shops: Shops, database: str
) -> None:
    """The same for two minutes."""
    storm(server, shops, database, 120)
