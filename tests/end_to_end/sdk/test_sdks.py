"""Unmodified SDKs: every call counted once, under failures of the network and the server."""

import gzip
import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.app.conftest import Shop, new_shop
from tests.conftest import ONEFOLD, Running, launch
from tests.end_to_end.sdk.conftest import NODE_SDK, PYTHON_SDKS, SDKS, Driver, Job, drive_node, drive_python
from tests.end_to_end.sdk.relay import Fault, Relay

CALLS = 400  # several batches of every SDK
FEW = 300
USERS = 20


class Way(NamedTuple):
    """How many calls an SDK sends, what befalls its requests, and a key that is not the space's own."""

    calls: int
    faults: tuple[Fault, ...] = ()
    key: str | None = None


MANY = Way(CALLS)
FAULTY = Way(FEW, ("refuse 503", "refuse 429", "cut after", "cut before"))
SPOILT = Way(USERS, ("spoil",))
UNKNOWN = Way(USERS, key="nobody")
WAYS = (MANY, FAULTY, SPOILT, UNKNOWN)


class Run(NamedTuple):
    """What an SDK sent into a space of its own, by its own report and by what the relay saw."""

    shop: Shop
    relay: Relay
    report: dict[str, Any]


Runs = dict[tuple[str, Way], Run]


@pytest.fixture(scope="session")
def runs(live: Running, client: httpx.Client, relay: Callable[[str], Relay], node_modules: Path) -> Runs:
    """Let every SDK send in every way at once: their pauses and starts take most of the time."""
    operator = {"Authorization": f"Bearer {live.admin_token}"}
    made: dict[tuple[str, Way], tuple[Shop, Relay]] = {}

    def job(name: str, way: Way) -> Job:
        shop, between = made[name, way] = new_shop(client, operator), relay(live.url)
        between.faults += way.faults
        return Job(between.url, way.key or shop.keys["write"], way.calls, packed=name.endswith("gzip"))

    started: list[tuple[list[tuple[str, Way]], Driver]] = []
    for lock in PYTHON_SDKS:
        sent = [(name, way) for name in SDKS if name.startswith(lock) for way in WAYS]
        started.append((sent, drive_python(lock, [job(*each) for each in sent])))
    started += [([(NODE_SDK, way)], drive_node(node_modules, job(NODE_SDK, way))) for way in WAYS]
    reports = {each: report for sent, driver in started for each, report in zip(sent, driver.reports(), strict=True)}
    return {each: Run(*made[each], reports[each]) for each in made}


every_sdk = pytest.mark.parametrize("sdk", SDKS)


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
    run = runs[sdk, MANY]

    assert run.report == {"sent": CALLS, "errors": []}
    whole(run.shop, CALLS)
    assert {seen.status for seen in run.relay.seen} == {200}
    assert set(message_ids(run.relay, 200).values()) == {1}
    packed = {seen.headers.get("content-encoding") for seen in run.relay.seen}
    assert packed == ({"gzip"} if sdk.endswith("gzip") else {None})


@every_sdk
def test_retries_lose_and_double_nothing(sdk: str, runs: Runs) -> None:
    """Refused for now, cut off before and after the commit: sent again, and counted once."""
    run = runs[sdk, FAULTY]

    assert run.report == {"sent": FEW, "errors": []}
    whole(run.shop, FEW)
    assert Counter(seen.status for seen in run.relay.seen)[0] == 2
    assert {seen.status for seen in run.relay.seen} == {0, 200, 429, 503}
    # What was cut off after its commit came again; each was answered once in the end.
    assert len(message_ids(run.relay, 200)) == FEW
    assert set(message_ids(run.relay, 200).values()) == {1}


@every_sdk
def test_calls_that_are_refused_for_good_are_sent_once(sdk: str, runs: Runs) -> None:
    """A body that cannot be read is answered 400, or 401 if it holds the key, and no SDK sends its calls again.

    A slow SDK sends its calls in several requests; those behind the refused one are accepted.
    """
    run = runs[sdk, SPOILT]
    refused = message_ids(run.relay, 400, 401)

    assert [seen.status in (400, 401) for seen in run.relay.seen].count(True) == 1
    assert set(message_ids(run.relay, 200, 400, 401).values()) == {1}
    assert sum(message_ids(run.relay, 200, 400, 401).values()) == USERS
    assert run.report["errors"]
    assert counted(run.shop) == USERS - len(refused)


@every_sdk
def test_calls_with_a_wrong_key_are_sent_once(sdk: str, runs: Runs) -> None:
    """A wrong key is answered 401, the SDK reports an error, and no SDK sends the calls again."""
    run = runs[sdk, UNKNOWN]

    assert {seen.status for seen in run.relay.seen} == {401}
    assert set(message_ids(run.relay, 401).values()) == {1}
    assert run.report["errors"]


def _alone(lock: str, job: Job) -> Driver:
    return drive_python(lock, [job])


@pytest.mark.timeout(300)
def test_restarts_lose_nothing(
    migrated_data: Path,
    processes: list[Running],
    relay: Callable[[str], Relay],
    node_modules: Path,
) -> None:
    """All SDKs at once, while the server is stopped, killed, and started again each time."""

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
        starts = [*(partial(_alone, lock) for lock in PYTHON_SDKS), partial(drive_node, node_modules)]
        shops = [new_shop(client, operator) for _ in starts]
        drivers = [
            start_driver(Job(between.url, shop.keys["write"], CALLS, pause=8 / CALLS))
            for start_driver, shop in zip(starts, shops, strict=True)
        ]
        for order in (signal.SIGTERM, signal.SIGKILL):
            time.sleep(2)
            running.stop(order)
            running = start(port)
        results = [report for driver in drivers for report in driver.reports()]

        assert results == [{"sent": CALLS, "errors": []}] * len(starts)
        for shop in shops:
            whole(shop, CALLS)
    assert 0 in {seen.status for seen in between.seen}
