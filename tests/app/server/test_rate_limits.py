"""Rate limits: a key that asks too much is refused and learns when to come back; no other key is."""

import asyncio
import secrets
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from identity.store.embedded.server import EmbeddedPostgres
from tests.app.conftest import Shop, new_shop
from tests.conftest import ONEFOLD, Running, fresh_database, launch

RATE = 1  # a second: so low that the slowest machine exceeds it
CALL = {"userId": "u1", "event": "e"}
CONNECTIONS = 100
GUESSES = 5 * CONNECTIONS
LOW = {f"ONEFOLD_{name}_RATE": str(RATE) for name in ("COLLECT", "READ", "MISS")}


@pytest.fixture(scope="module")
def limited(
    postgres: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, Callable[[], Shop]]]:
    """A server with low limits, and a maker of spaces in it; the limits of a space and its keys are its own."""
    folder = tmp_path_factory.mktemp("limited") / "data"
    with fresh_database(postgres, template) as url:
        running = launch([*ONEFOLD, "serve"], folder, {"ONEFOLD_DATABASE_URL": url, **LOW})
        with httpx.Client(base_url=running.url, timeout=60) as client:
            operator = {"Authorization": f"Bearer {running.admin_token}"}
            yield client, lambda: new_shop(client, operator)
        running.stop()
        assert running.process.stdout
        running.process.stdout.close()


def until_refused(ask: Callable[[], httpx.Response]) -> tuple[int, httpx.Response]:
    """Return how many requests were answered before the first refusal, and the refusal; windows last a second."""
    for taken in range(2_000):
        answer = ask()
        if answer.status_code == 429:
            return taken, answer
    pytest.fail("never refused")


def asks_to_wait(answer: httpx.Response) -> None:
    """Both headers that SDKs read name whole seconds."""
    assert int(answer.headers["retry-after"]) >= 1
    assert int(answer.headers["x-ratelimit-reset"]) >= 1


@pytest.mark.parametrize("way", ["header", "body"])
def test_a_key_that_sends_too_much_is_refused(limited: Any, way: str) -> None:
    """The refusal has the shape that SDKs understand; exactly the accepted calls are stored."""
    client, make = limited
    shop = make()
    given: dict[str, Any] = {"auth": (shop.keys["write"], "")} if way == "header" else {}
    body = CALL if way == "header" else {**CALL, "writeKey": shop.keys["write"]}
    taken, refused = until_refused(lambda: client.post("/v1/track", json=body, **given))

    assert taken >= RATE
    asks_to_wait(refused)
    assert refused.json()["success"] is False
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["message"]
    other = make()
    assert client.post("/v1/track", json=CALL, auth=(other.keys["write"], "")).status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:u1", "profiles").json()["event_count"] == taken


def test_the_keys_of_a_space_share_twice_the_limit_of_one(limited: Any) -> None:
    """More keys do not raise the limit of a space."""
    client, make = limited
    shop = make()
    keys = [shop.keys["write"], shop.keys["import"], shop.keys["admin"]]
    turns = iter(range(1_000))
    taken, _ = until_refused(lambda: client.post("/v1/track", json=CALL, auth=(keys[next(turns) % 3], "")))

    assert taken >= 2 * RATE


def test_batches_count_by_their_calls(limited: Any) -> None:
    """Many calls in few requests are many calls; a batch larger than the limit is accepted alone."""
    client, make = limited
    shop = make()
    batch = {"batch": [{"type": "track", "event": "E", **CALL}] * (40 * RATE)}
    taken, refused = until_refused(lambda: client.post("/v1/batch", json=batch, auth=(shop.keys["write"], "")))

    assert taken >= 1
    assert refused.json()["code"] == "rate_limited"


@pytest.mark.parametrize(
    "path", ["/v1/profiles/user_id:u1", "/v1/groups/g1", "/v1/spaces/{0}/collections/users/profiles"]
)
def test_reads_are_limited(limited: Any, path: str) -> None:
    """Each surface refuses in its own shape."""
    _, make = limited
    shop = make()
    _, refused = until_refused(lambda: shop.ask("GET", path.format(shop.space_id)))

    asks_to_wait(refused)
    body = refused.json()
    assert body.get("code") == "rate_limited" or body["error"]["code"] == "rate_limit_error"


def test_misses_are_refused_and_known_people_answered(server: Callable[..., Running]) -> None:
    """The refusal names misses; a key that guesses much more often is refused before the look-up.

    So the refusals of a key that guesses do not show which guess was right.
    """
    running = server(ONEFOLD_MISS_RATE="3", ONEFOLD_READ_RATE="0")
    with httpx.Client(base_url=running.url, timeout=60) as client:
        shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        shop.send({"type": "track", "event": "E", "userId": "known"})
        paths = iter(["/v1/profiles/user_id:nobody", "/v1/groups/none"] * 100)
        _, refused = until_refused(lambda: shop.ask("GET", next(paths), "admin"))
        asks_to_wait(refused)
        assert refused.json()["code"] == "too_many_misses"
        assert "unknown people" in refused.json()["detail"]
        assert shop.ask("GET", "/v1/profiles/user_id:known", "admin").status_code == 200
        few = {"identifiers": ["user_id:known", *(f"user_id:n{at}" for at in range(5))]}
        assert shop.ask("POST", "/v1/profiles/lookup", "profiles", json=few).status_code == 200
        many = {"identifiers": [f"user_id:n{at}" for at in range(50)]}
        larger = {"identifiers": [f"user_id:n{at}" for at in range(4)]}
        answer = shop.ask("POST", "/v1/profiles/lookup", "profiles", json=larger)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_much")
        assert "may look up 3 unknown people in a second" in answer.json()["detail"]

        def guess() -> httpx.Response:
            shop.ask("POST", "/v1/profiles/lookup", "profiles", json=many)
            return shop.ask("GET", "/v1/profiles/user_id:known", "profiles")

        _, shut_out = until_refused(guess)
        assert "those of known people too" in shut_out.json()["detail"]
        known = [shop.ask("GET", "/v1/profiles/user_id:known", "privacy").status_code for _ in range(50)]
        assert known == [200] * 50


async def test_unknown_keys_do_not_keep_known_keys_out(server: Callable[..., Running]) -> None:
    """In a flood of well-formed unknown keys each of these is refused, and known keys work meanwhile."""
    running = server()

    def guess() -> str:
        made = f"of_{'a' * 12}_{secrets.token_hex(32)}"
        return f"{made}_{zlib.crc32(made.encode()):08x}"

    limits = httpx.Limits(max_connections=CONNECTIONS)
    # The client's pool looks through all that wait for a connection whenever one is free.
    turn = asyncio.Semaphore(CONNECTIONS)
    async with httpx.AsyncClient(base_url=running.url, timeout=None, limits=limits) as client:

        async def ask(key: str) -> int:
            async with turn:
                answer = await client.get("/v1/profiles/user_id:nobody", headers={"Authorization": f"Bearer {key}"})
            return answer.status_code

        with httpx.Client(base_url=running.url, timeout=60) as plain:
            operator = {"Authorization": f"Bearer {running.admin_token}"}
            shops = [new_shop(plain, operator) for _ in range(5)]
        keys = [guess() for _ in range(GUESSES)]
        for at, shop in enumerate(shops):
            keys.insert(GUESSES // len(shops) * at + CONNECTIONS // 2, shop.keys["profiles"])
        statuses = Counter(await asyncio.gather(*map(ask, keys)))
        assert statuses == {401: GUESSES, 404: len(shops)}
