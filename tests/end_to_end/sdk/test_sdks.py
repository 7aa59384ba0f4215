"""Unmodified SDKs: every call counted once, under failures of the network and the server."""

import gzip
import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.app.conftest import Shop, new_shop
from tests.conftest import ONEFOLD, Running, launch
from tests.end_to_end.sdk.conftest import PYTHON_SDKS, SDKS, sdk_named
from tests.end_to_end.sdk.relay import Fault, Relay

CALLS = 800  # several batches of every SDK
FEW = 300
USERS = 20
DRIVER_SECONDS = 280


class Run(NamedTuple):
    """What an SDK sent into a space of its own, by its own report and by what the relay saw."""

    shop: Shop
    relay: Relay
    report: dict[str, Any]


Runs = Callable[..., dict[str, Run]]


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest, live: Running, client: httpx.Client, relay: Callable[[str], Relay]) -> Runs:
    """Let every SDK send at once, each once per set of faults: their pauses take most of the time."""
    operator = {"Authorization": f"Bearer {live.admin_token}"}

    @cache
    def run(calls: int, *faults: Fault, key: str | None = None) -> dict[str, Run]:
        started = {}
        for name in SDKS:
            shop, between = new_shop(client, operator), relay(live.url)
            between.faults += faults
            driver = sdk_named(name, request).start(between.url, key or shop.keys["write"], calls)
            started[name] = shop, between, driver
        return {name: Run(shop, between, reported(driver)) for name, (shop, between, driver) in started.items()}

    return run


every_sdk = pytest.mark.parametrize("sdk", SDKS)


def reported(driver: subprocess.Popen[str]) -> dict[str, Any]:
    """The report that a driver prints at its end."""
    out, _ = driver.communicate(timeout=DRIVER_SECONDS)
    assert driver.returncode == 0, out
    found: dict[str, Any] = json.loads(out)
    return found


def counted(shop: Shop) -> int:
    """How many calls all profiles of a space hold."""
    page = shop.ask("GET", "/v1/profiles?limit=1000").json()
    assert page["next_cursor"] is None
    return sum(profile["event_count"] for profile in page["profiles"])


def whole(shop: Shop, calls: int) -> None:
    """Every call is there once, and every user is one profile of three identifiers."""
    assert counted(shop) == calls
    profile = shop.ask("GET", "/v1/profiles/email:u-0@example.org", "profiles").json()
    # A batch that was sent again comes after those that were not.
    assert sorted(each["type"] for each in profile["identifiers"]) == ["anonymous_id", "email", "user_id"]
    assert profile["traits"] == {"email": "u-0@example.org", "at": 0}
    assert profile["event_count"] == calls // USERS
    page = shop.ask("GET", "/v1/profiles?limit=1000").json()
    assert len(page["profiles"]) == USERS


def message_ids(relay: Relay, *statuses: int) -> Counter[str]:
    """The messages in requests with one of these answers, by how often they came."""
    return Counter(
        item["messageId"]
        for seen in relay.seen
        if seen.status in statuses
        for item in json.loads(_plain(seen.body, seen.headers))["batch"]
    )


def _plain(body: bytes, headers: dict[str, str]) -> bytes:
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body


@every_sdk
def test_many_calls_are_each_counted_once(sdk: str, runs: Runs) -> None:
    """Many calls, each counted once, and no request more than was needed."""
    run = runs(CALLS)[sdk]

    assert run.report == {"sent": CALLS, "errors": []}
    whole(run.shop, CALLS)
    assert {seen.status for seen in run.relay.seen} == {200}
    assert set(message_ids(run.relay, 200).values()) == {1}
    packed = {seen.headers.get("content-encoding") for seen in run.relay.seen}
    assert packed == ({"gzip"} if sdk.endswith("gzip") else {None})


@every_sdk
def test_retries_lose_and_double_nothing(sdk: str, runs: Runs) -> None:
    """Refused for now, cut off before and after the commit: sent again, and counted once."""
    run = runs(FEW, "refuse 503", "refuse 429", "cut after", "cut before")[sdk]

    assert run.report == {"sent": FEW, "errors": []}
    whole(run.shop, FEW)
    assert Counter(seen.status for seen in run.relay.seen)[0] == 2
    assert {seen.status for seen in run.relay.seen} == {0, 200, 429, 503}
    # What was cut off after its commit came again; each was answered once in the end.
    assert len(message_ids(run.relay, 200)) == FEW
    assert set(message_ids(run.relay, 200).values()) == {1}


@every_sdk
def test_calls_that_are_refused_for_good_are_sent_once(sdk: str, runs: Runs) -> None:
    """A body that cannot be read is answered 400, and no SDK sends its calls again.

    A slow SDK sends its calls in several requests; those behind the refused one are accepted.
    """
    run = runs(USERS, "spoil")[sdk]
    refused = message_ids(run.relay, 400)

    assert Counter(seen.status for seen in run.relay.seen)[400] == 1
    assert set(message_ids(run.relay, 200, 400).values()) == {1}
    assert sum(message_ids(run.relay, 200, 400).values()) == USERS
    assert run.report["errors"]
    assert counted(run.shop) == USERS - len(refused)


@every_sdk
def test_calls_with_a_wrong_key_are_sent_once(sdk: str, runs: Runs) -> None:
    """A wrong key is answered 401, the SDK reports an error, and no SDK sends the calls again."""
    run = runs(USERS, key="nobody")[sdk]

    assert {seen.status for seen in run.relay.seen} == {401}
    assert set(message_ids(run.relay, 401).values()) == {1}
    assert run.report["errors"]


@pytest.mark.timeout(300)
def test_restarts_lose_nothing(
    request: pytest.FixtureRequest,
    migrated_data: Path,
    processes: list[Running],
    relay: Callable[[str], Relay],
) -> None:
    """All SDKs at once, while the server is stopped, killed, and started again each time."""
    names = [*(f"{name} plain" for name in PYTHON_SDKS), "analytics-node"]
    sdks = [sdk_named(name, request) for name in names]

    def start(port: str = "0") -> Running:
        # On a database of its own, which goes down with it.
        running = launch([*ONEFOLD, "serve"], migrated_data, {"ONEFOLD_PORT": port}, token="t" * 32)
        processes.append(running)
        return running

    running = start()
    port = running.url.rpartition(":")[2]
    between = relay(running.url)
    with httpx.Client(base_url=running.url, timeout=60) as client:
        operator = {"Authorization": f"Bearer {running.admin_token}"}
        shops = [new_shop(client, operator) for _ in sdks]
        pause = 8 / CALLS
        drivers = [
            each.start(between.url, shop.keys["write"], CALLS, pause=pause)
            for each, shop in zip(sdks, shops, strict=True)
        ]
        for order in (signal.SIGTERM, signal.SIGKILL):
            time.sleep(2)
            running.stop(order)
            running = start(port)
        results = [reported(driver) for driver in drivers]

        assert results == [{"sent": CALLS, "errors": []}] * len(sdks)
        for shop in shops:
            whole(shop, CALLS)
    assert 0 in {seen.status for seen in between.seen}
