"""No process shows a person's data after a withdrawal or an erasure is answered."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.app.conftest import Shop
from tests.concurrency.feed.conftest import Shops
from tests.conftest import Running
from tests.support.destinations.feed_consumer import Consumer, destination

READERS = 2
PAUSE = 0.005


class Race:
    """People of whom one after the other withdraws or is erased, while others read them everywhere."""

    def __init__(self, servers: list[Running], shop: Shop, secret: str, people: list[str]) -> None:
        self.shop, self.secret, self.people = shop, secret, people
        self.clients = [httpx.Client(base_url=each.url, timeout=60) for each in servers]
        self.answered: dict[str, float] = {}
        self.order: list[str] = []
        self.shown: list[str] = []
        self.reads = 0
        self.ended = False

    def gone(self, *people: str) -> None:
        """So long ago was it answered that they are gone."""
        now = time.perf_counter()
        self.answered |= dict.fromkeys(people, now)
        self.order += people

    def seen(self, person: str, begun: float) -> None:
        """Somebody was shown in an answer to a request that began then."""
        if begun > self.answered.get(person, float("inf")):
            self.shown.append(person)

    def read(self, nr: int) -> None:
        """Reads those who have just gone, and those who are about to, at every server."""
        rng = random.Random(nr)
        client, headers = self.clients[nr % len(self.clients)], {"Authorization": f"Bearer {self.secret}"}
        while not self.ended:
            at = len(self.order)
            some = [self.people[min(max(at + rng.randrange(-4, 3), 0), len(self.people) - 1)] for _ in range(3)]
            begun = time.perf_counter()
            wanted = {"identifiers": [f"user_id:{person}" for person in some]}
            answer = client.post("/v1/destination/profiles/lookup", json=wanted, headers=headers)
            assert answer.status_code == 200, answer.text
            for seen in answer.json()["profiles"].values():
                if seen is not None and seen["traits"]:
                    self.seen(seen["traits"]["name"], begun)
            self.reads += 1
            time.sleep(PAUSE)

    def follow(self, nr: int) -> None:
        """Reads the feed from its beginning, again and again."""
        while not self.ended:
            consumer = Consumer(self.shop, self.secret, self.clients[nr % len(self.clients)])
            more = True
            while more and not self.ended:
                begun = time.perf_counter()
                page = consumer.page(limit=200)
                for line in page["changes"]:
                    if line["traits"]:
                        self.seen(line["traits"]["name"], begun)
                consumer.cursor, more = page["cursor"], page["has_more"]
                self.reads += 1


def race(server: Callable[..., Running], shops: Shops, withdrawn: int, erased: int) -> None:
    """So many people withdraw, then so many are erased, while everybody reads."""
    rates: dict[str, Any] = {f"ONEFOLD_{name}_RATE": "0" for name in ("MISS", "READ", "COLLECT")}
    servers = [server(**rates) for _ in range(2)]
    shop = shops(servers[0])
    secret = destination(shop)
    granted = {"consent": {"categoryPreferences": {"Marketing": True}}}
    people = [f"p{nr}" for nr in range(withdrawn + erased)]
    shop.send(*({"type": "identify", "userId": p, "traits": {"name": p}, "context": granted} for p in people))
    racing = Race(servers, shop, secret, people)
    works = [*((racing.read, nr) for nr in range(READERS)), (racing.follow, 0), (racing.follow, 1)]
    threads = [threading.Thread(target=work, args=(nr,)) for work, nr in works]
    for thread in threads:
        thread.start()
    try:
        for person in people[:withdrawn]:
            decision = {"identifier": f"user_id:{person}", "decisions": {"Marketing": False}}
            assert shop.ask("POST", "/v1/consent", "privacy", json=decision).status_code == 200
            racing.gone(person)
        for at in range(withdrawn, withdrawn + erased, 5):
            named = {"identifiers": [f"user_id:{person}" for person in people[at : at + 5]]}
            assert shop.ask("POST", "/v1/erasures", "privacy", json=named).status_code == 202
            racing.gone(*people[at : at + 5])
    finally:
        racing.ended = True
        for thread in threads:
            thread.join()
        for client in racing.clients:
            client.close()
    assert racing.shown == []
    assert racing.reads > len(people) / 10
    late = Consumer(shop, secret)
    late.drain()
    assert late.held == {}


def test_nothing_is_shown_afterwards(server: Callable[..., Running], shops: Shops) -> None:
    """Whatever begins after the answer shows nothing, at both servers, in reads and in the feed."""
    race(server, shops, 20, 10)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_thousand_times(server: Callable[..., Running], shops: Shops) -> None:
    """The same, a thousand times."""
    race(server, shops, 900, 100)


def test_a_page_kept_back(server: Callable[..., Running], shops: Shops) -> None:
    """A later entry takes back what a page showed before a withdrawal, also for a reader with an old cursor."""
    shop = shops(server())
    secret = destination(shop)
    granted = {"consent": {"categoryPreferences": {"Marketing": True}}}
    shop.send({"type": "identify", "userId": "ann", "traits": {"name": "Ann"}, "context": granted})
    consumer = Consumer(shop, secret)
    page = consumer.page()
    assert [line["op"] for line in page["changes"]] == ["upsert"]
    decision = {"identifier": "user_id:ann", "decisions": {"Marketing": False}}
    assert shop.ask("POST", "/v1/consent", "privacy", json=decision).status_code == 200
    # The page arrives only now: what is in it is withdrawn by what follows.
    consumer.take(page)
    assert consumer.held != {}
    consumer.drain()
    assert consumer.held == {}
    # Asked for again, it is as of today.
    again = Consumer(shop, secret)
    assert [line["op"] for line in again.page()["changes"]] == ["withdraw"]
