"""Attacks 42, 109 to 111, 115 to 117 and 121: one space against another, and guesses against all."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from identity.store.embedded.data_directory import SUPERUSER
from identity.store.embedded.server import EmbeddedPostgres
from identity.store.postgres.database import Database
from identity.values.database_roles import APP_ROLE
from identity.values.errors import Misconfigured
from tests.app.conftest import Shop, new_shop
from tests.conftest import Running, administer

QUEUE = 400
STORM = 16  # batches at once, four times what the queue takes
BREEZES = 5


def test_attack_42_guessing_identifiers_is_limited(server: Callable[..., Running]) -> None:
    """A caller who guesses identifiers is soon refused; far beyond the rate, for right and wrong guesses alike."""
    running = server(ONEFOLD_MISS_RATE="20")
    with httpx.Client(base_url=running.url, timeout=60) as client:
        shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        answers = [shop.ask("GET", f"/v1/profiles/email:a{at}@example.org", "profiles") for at in range(200)]

    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {404, 429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 429)


def test_attack_109_the_right_id_with_a_wrong_secret(shop: Shop) -> None:
    """It answers as a key that never was."""
    right = shop.keys["profiles"]
    head, secret, _ = right.rsplit("_", 2)
    body = f"{head}_{secret[::-1]}"
    shop.keys["wrong"] = f"{body}_{zlib.crc32(body.encode()):08x}"
    shop.keys["nobody"] = "of_nothing"
    wrong, nobody = (shop.ask("GET", "/v1/profiles/user_id:u1", name) for name in ("wrong", "nobody"))

    assert wrong.status_code == nobody.status_code == 401
    assert wrong.content == nobody.content


def test_attack_110_a_revoked_key(server: Callable[..., Running]) -> None:
    """The process that revoked a key refuses it at once, and every other process soon after."""
    first, second = server(), server()
    with httpx.Client(base_url=first.url, timeout=60) as client, httpx.Client(base_url=second.url, timeout=60) as other:
        shop = new_shop(client, {"Authorization": f"Bearer {first.admin_token}"})
        made = shop.ask("POST", "/v1/keys", json={"name": "k", "scopes": ["profiles:read"]}).json()
        headers = {"Authorization": f"Bearer {made['secret']}"}
        for each in (client, other):
            assert each.get("/v1/profiles/user_id:u1", headers=headers).status_code == 404
        assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").status_code == 204
        assert client.get("/v1/profiles/user_id:u1", headers=headers).status_code == 401
        deadline = time.monotonic() + 60
        while other.get("/v1/profiles/user_id:u1", headers=headers).status_code != 401:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_attack_111_another_space_by_name(shop: Shop, other_shop: Shop) -> None:
    """A header, a parameter or a path that names another space opens nothing of it."""
    other_shop.send({"type": "track", "event": "E", "userId": "u1"})
    profile = "/v1/profiles/user_id:u1"
    for headers in ({"X-Space-Id": other_shop.space_id}, {"X-Tenant": other_shop.space_id}):
        assert shop.ask("GET", profile, headers=headers).status_code == 404
    assert shop.ask("GET", f"{profile}?space_id={other_shop.space_id}").json()["code"] == "unknown_parameter"
    path = f"/v1/spaces/{other_shop.space_id}/collections/users/profiles/user_id:u1/traits"
    assert shop.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/profiles",
        "/v1/rejections",
        "/v1/profiles/user_id:u0/history",
        "/v1/spaces/{space}/collections/users/profiles",
        "/v1/spaces/{space}/collections/users/profiles/user_id:u0/traits",
        "/v1/spaces/{space}/collections/users/profiles/user_id:u0/external_ids",
        "/v1/spaces/{space}/collections/users/profiles/user_id:u0/events",
        "/v1/spaces/{space}/collections/users/profiles/user_id:u0/links",
    ],
)
def test_attack_115_a_cursor_of_another_space(shop: Shop, other_shop: Shop, path: str) -> None:
    """Every cursor is bound to its space; a forged one is refused too."""
    for each in (shop, other_shop):
        each.send(
            *({"type": "identify", "userId": "u0", "anonymousId": f"a{n}", "traits": {f"t{n}": n}} for n in range(2)),
            *({"type": "group", "userId": "u0", "groupId": f"g{at}"} for at in range(2)),
            *({"type": "track", "event": "E", "userId": f"u{at}"} for at in range(1, 3)),
            *({"type": "track", "event": "E", "messageId": f"m{at}"} for at in range(2)),
        )
    name = "next" if "/spaces/" in path else "cursor"

    def page(of: Shop, **more: str) -> httpx.Response:
        return of.ask("GET", path.format(space=of.space_id), params={"limit": "1", **more})

    document = page(other_shop).json()
    cursor = document["cursor"]["next"] if "cursor" in document else document["next_cursor"]
    assert cursor
    assert page(other_shop, **{name: cursor}).status_code == 200
    assert page(shop, **{name: cursor}).status_code == 400
    for forged in (cursor[:-2], cursor[::-1], "AAAA", "%00", cursor + "AAAA"):
        assert page(other_shop, **{name: forged}).status_code == 400


def test_attack_116_a_connection_after_an_error(shop: Shop, other_shop: Shop) -> None:
    """Whatever went wrong before, the next request sees its own space and no other."""
    other_shop.send({"type": "track", "event": "E", "userId": "theirs"})
    for _ in range(30):
        shop.ask("GET", "/v1/profiles/user_id:%FF")
        shop.ask("GET", "/v1/profiles?cursor=AAAA")
        shop.ask("DELETE", "/v1/keys/key_nobody")
        assert shop.ask("GET", "/v1/profiles").json()["profiles"] == []
        assert shop.ask("GET", "/v1/profiles/user_id:theirs").status_code == 404
        assert other_shop.ask("GET", "/v1/profiles/user_id:theirs").status_code == 200


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "owner"])
async def test_attack_117_a_role_that_may_too_much(postgres: EmbeddedPostgres, database: str, power: str) -> None:
    """The service does not start under a role that could do what it must not."""

    async def start() -> None:
        opened = Database(database)
        await opened.open()
        await opened.close()

    await start()
    role = sql.Identifier(APP_ROLE)
    if power == "owner":
        with psycopg.connect(postgres.url(database.rpartition("/")[2].partition("?")[0], SUPERUSER)) as superuser:
            superuser.execute(sql.SQL("ALTER TABLE cut OWNER TO {}").format(role))
    else:
        administer(postgres, sql.SQL("ALTER ROLE {} {}").format(role, sql.SQL(power)))
    try:
        with pytest.raises(Misconfigured):
            await start()
    finally:
        administer(postgres, sql.SQL("ALTER ROLE {} NOSUPERUSER NOBYPASSRLS NOCREATEROLE").format(role))


async def test_attack_121_a_storm_and_a_breeze(server: Callable[..., Running]) -> None:
    """A space that floods the queue is asked to wait; another space is served, call by call, and both recover."""
    running = server(ONEFOLD_QUEUE_CALLS=str(QUEUE), ONEFOLD_COLLECT_RATE="0")

    async with httpx.AsyncClient(base_url=running.url, timeout=60) as client:
        with httpx.Client(base_url=running.url, timeout=60) as plain:
            operator = {"Authorization": f"Bearer {running.admin_token}"}
            storm, breeze = new_shop(plain, operator), new_shop(plain, operator)
            storming = (storm.keys["write"], "")
            over = asyncio.Event()
            refusals: list[httpx.Response] = []
            sent = Counter[str]()

            async def blow(number: int) -> None:
                at = 0
                while not over.is_set():
                    user = f"u{number}"
                    calls = [
                        {"type": "track", "event": "E", "userId": user, "messageId": f"{user}-{at}-{n}"}
                        for n in range(100)
                    ]
                    while True:
                        answer = await client.post("/v1/batch", json={"batch": calls}, auth=storming)
                        if answer.status_code == 200:
                            break
                        refusals.append(answer)
                        await asyncio.sleep(0.1)
                    sent[user] += 100
                    at += 1

            storms = [asyncio.create_task(blow(number)) for number in range(STORM)]
            while not refusals:  # noqa: ASYNC110 (until the queue is full)
                await asyncio.sleep(0.01)
            for at in range(BREEZES):
                call = {"userId": "ann", "event": "e", "messageId": f"b{at}"}
                answer = await client.post("/v1/track", json=call, auth=(breeze.keys["write"], ""))
                assert answer.status_code == 200, answer.text
                assert (await client.get("/readyz")).status_code == 200
            over.set()
            await asyncio.gather(*storms)

            assert {each.status_code for each in refusals} == {429}
            for each in refusals:
                assert each.json()["code"] == "queue_full"
                assert int(each.headers["retry-after"]) >= 1
                assert int(each.headers["x-ratelimit-reset"]) >= 1
            assert breeze.ask("GET", "/v1/profiles/user_id:ann").json()["event_count"] == BREEZES
            for user, calls in sent.items():
                profile: dict[str, Any] = storm.ask("GET", f"/v1/profiles/user_id:{user}").json()
                assert profile["event_count"] == calls
