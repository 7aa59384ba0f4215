"""The list of rejections page by page: its order, its cursors, and who reads it."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.app.conftest import AUDIT, Shop, Suppress
from tests.conftest import Running
from tests.support.http.rejections import BIG, externals, listed


def test_rejections_and_demotions_come_in_one_order(shop: Shop) -> None:
    """Newest first, and pages may end anywhere."""
    for n in range(4):
        shop.send(
            {"type": "nonsense", "messageId": f"r{n}"},
            {"type": "track", "event": "E", "anonymousId": f"a{n}", "userId": "null", "messageId": f"d{n}"},
            {"type": "track", "event": "E", "messageId": f"u{n}"},
        )

    whole = listed(shop)
    assert [each["message_id"][1:] for each in whole] == [str(n) for n in (3, 2, 1, 0) for _ in range(3)]
    assert {each["message_id"] for each in whole} == {f"{kind}{n}" for kind in "rdu" for n in range(4)}
    assert [each["at"] for each in whole] == sorted((each["at"] for each in whole), reverse=True)
    for limit in range(1, 13):
        assert listed(shop, limit=limit) == whole


def test_pages_with_writes_between(shop: Shop) -> None:
    """What comes while pages are read moves none of them: nothing is shown twice and nothing left out."""

    def write(n: int) -> None:
        shop.send(
            *({"type": "nonsense", "messageId": f"{n}-{at}"} for at in range(5)),
            {"type": "track", "event": "E", "anonymousId": f"a{n}", "userId": "null", "messageId": f"{n}-d"},
        )

    for n in range(4):
        write(n)
    whole = listed(shop)
    found, cursor = [], None
    for n in range(4, 40):
        page = shop.ask("GET", "/v1/rejections", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += page["rejections"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        write(n)

    assert found == whole
    assert len(whole) == 24


def test_since_leaves_out_earlier_calls(shop: Shop) -> None:
    """In pages as well."""
    shop.send({"type": "nonsense", "messageId": "old"})
    shop.send({"type": "track", "event": "E", "anonymousId": "a1", "userId": "null", "messageId": "old too"})
    first, second = listed(shop)
    moment = datetime.fromisoformat(first["at"]) + timedelta(milliseconds=1)
    while datetime.now(UTC) <= moment:
        time.sleep(0.001)
    shop.send({"type": "nonsense", "messageId": "r1"}, {"type": "track", "event": "E", "messageId": "r2"})
    shop.send({"type": "track", "event": "E", "anonymousId": "a1", "userId": "null", "messageId": "d1"})

    def of(since: str) -> list[str]:
        return [each["message_id"] for each in listed(shop, since=since, limit=1)]

    assert of(moment.isoformat()) == ["d1", "r2", "r1"]
    assert of(second["at"]) == of("0001-01-01") == of("1969-12-31T23:59:59Z") == ["d1", "r2", "r1", "old too", "old"]
    assert of("9999-12-31T23:59:59.999999Z") == []


@pytest.mark.parametrize("since", ["", "yesterday", "1700000000", "2026-02-30T00:00:00Z", "x" * 400])
def test_an_unreadable_since_is_answered_400(common_shop: Shop, since: str) -> None:
    """Never with the whole list."""
    answer = common_shop.ask("GET", "/v1/rejections", params={"since": since})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_a_cursor_is_valid_for_this_list_of_this_space_only(shop: Shop, other_shop: Shop) -> None:
    """Any other is answered 400."""
    for each in (shop, other_shop):
        each.send({"type": "nonsense"}, {"type": "nonsense"}, {"type": "track", "event": "E", "userId": "u1"})
        each.send({"type": "track", "event": "E", "userId": "u2"})
    foreign = other_shop.ask("GET", "/v1/rejections?limit=1").json()["next_cursor"]
    other_list = shop.ask("GET", "/v1/profiles?limit=1").json()["next_cursor"]

    for cursor in (foreign, other_list, "nonsense", "AAAA"):
        answer = shop.ask("GET", "/v1/rejections", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_another_space_sees_none_of_the_list(shop: Shop, other_shop: Shop) -> None:
    """Each space has its own."""
    other_shop.send({"type": "nonsense"}, {"type": "track", "event": "E", "userId": "null", "anonymousId": "a1"})

    assert len(listed(other_shop)) == 2
    assert listed(shop) == []


@pytest.mark.parametrize("key", ["write", "import", "profiles", "privacy"])
def test_only_an_admin_key_reads_the_list(common_shop: Shop, key: str) -> None:
    """Every other key is answered 403."""
    assert common_shop.ask("GET", "/v1/rejections", key).status_code == 403


def test_reading_the_list_is_in_the_audit_log(shop: Shop, rows: psycopg.Connection[Any]) -> None:
    """Without content of the list."""
    noted = f"SELECT count(*) FROM {AUDIT} a JOIN space s ON s.id = a.space_id WHERE s.name = %s AND action = %s"
    listed(shop)

    assert rows.execute(noted.encode(), [shop.name, "rejections.read"]).fetchone() == (1,)


def test_concurrent_rejections_are_each_listed_once(shop: Shop, live: Running) -> None:
    """Of many connections."""

    def send(thread: int) -> None:
        with httpx.Client(base_url=live.url, timeout=60) as client:
            mine = Shop(client, shop.space_id, shop.name, shop.keys)
            for n in range(10):
                mine.send(
                    {"type": "nonsense", "messageId": f"{thread}-{n}-r"},
                    {"type": "track", "event": "E", "userId": f"u{n % 3}", "messageId": f"{thread}-{n}-ok"},
                    {"type": "track", "event": "E", "messageId": f"{thread}-{n}-u"},
                )
                single = {"messageId": f"{thread}-{n}-s", "context": 1}
                assert mine.ask("POST", "/v1/track", "write", json=single).status_code == 400

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))

    found = Counter(each["message_id"] for each in listed(shop, limit=17))
    assert found == Counter(f"{thread}-{n}-{kind}" for thread in range(8) for n in range(10) for kind in "rus")


def test_losses_are_counted_by_reason_in_the_metrics(shop: Shop, operator: dict[str, str], suppress: Suppress) -> None:
    """A request that was refused as a whole counts by its code."""
    suppress(shop, "user_id", "gone")
    series = [
        'onefold_calls_total{status="rejected"}',
        'onefold_calls_total{status="suppressed"}',
        'onefold_calls_total{status="unresolved"}',
        'onefold_rejected_calls_total{code="context_not_object"}',
        'onefold_rejected_calls_total{code="invalid_type"}',
        'onefold_demotions_total{reason="blocked"}',
        'onefold_demotions_total{reason="suppressed"}',
        'onefold_demotions_total{reason="bad_type"}',
        "onefold_ignored_traits_total",
        'onefold_refused_requests_total{code="context_not_object"}',
        'onefold_refused_requests_total{code="invalid_json"}',
    ]

    def counted() -> dict[str, float]:
        text = shop.client.get("/metrics", headers=operator).text
        values = dict(row.rsplit(" ", 1) for row in text.splitlines() if not row.startswith("#"))
        return {name: float(values.get(name, 0)) for name in series}

    before = counted()
    shop.ask("POST", "/v1/track", "write", json={"event": "E", "context": 1})
    shop.ask("POST", "/v1/track", "write", content=b"{")
    shop.send(
        {"type": "nonsense"},
        {"type": "track", "event": "E", "userId": "gone"},
        {"type": "track", "event": "E"},
        {"type": "track", "event": "E", "userId": "null", "anonymousId": "a1"},
        {"type": "track", "event": "E", "userId": "u1", "anonymousId": "a1", "context": externals(1, "no type")},
    )
    for n in range(8):
        shop.send({"type": "identify", "userId": "u1", "traits": {f"big{n}": BIG}})
    suppress(shop, "anonymous_id", "gone")
    shop.send({"type": "track", "event": "E", "userId": "u1", "anonymousId": "gone"})
    after = counted()

    grown = {name: after[name] - before[name] for name in series}
    assert grown == dict.fromkeys(series, 1) | {'onefold_calls_total{status="rejected"}': 2} | {
        "onefold_ignored_traits_total": 2
    }
