"""The list of rejections over the wire: each kind of loss once, with its reason, for the admin alone."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from app.schemas.rejections import RejectionPage
from identity.operations.ingest.request import LARGEST_ITEM
from identity.planning.resolution.rejections import MOST_NAMES
from tests.app.conftest import AUDIT, Shop, Suppress
from tests.conftest import Running

BIG = "x" * (LARGEST_ITEM - 2_000)


def listed(shop: Shop, **params: Any) -> list[dict[str, Any]]:
    """The whole list, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        answer = shop.ask("GET", "/v1/rejections", params=params)
        assert answer.status_code == 200, answer.text
        page = msgspec.json.decode(answer.content, type=RejectionPage)
        found += answer.json()["rejections"]
        if page.next_cursor is None:
            return found
        assert len(page.rejections) <= params.get("limit", 100)
        params["cursor"] = page.next_cursor


def externals(count: int, type_: str = "t{}") -> dict[str, Any]:
    """A context with external ids, each of a type of its own."""
    ids = [{"id": f"v{n}", "type": type_.format(n), "collection": "users", "encoding": "none"} for n in range(count)]
    return {"externalIds": ids}


def line(shop: Shop, **expected: Any) -> dict[str, Any]:
    """The one line of the list, which holds what is expected; returns all of it."""
    (only,) = listed(shop)
    plain: dict[str, Any] = {
        "reason": None,
        "demoted": [],
        "ignored_traits": [],
        "ignored_count": 0,
        "profile_id": None,
    }
    assert only == only | plain | expected
    return only


def unlinked(reason: str, count: int = 1, identifier: str | None = None) -> dict[str, Any]:
    """A demotion as the list shows it."""
    return {"identifier": identifier, "reason": reason, "count": count}


def test_accepted_and_duplicate_calls_are_not_listed(shop: Shop) -> None:
    """Only losses are."""
    for _ in range(2):
        shop.send({"type": "identify", "userId": "u1", "messageId": "m1", "traits": {"email": "a@b.org"}})

    assert shop.ask("GET", "/v1/rejections").json() == {"rejections": [], "next_cursor": None}


def test_rejected_in_a_batch(shop: Shop) -> None:
    """A rejected item is listed with its message id, its code and the key that sent it."""
    shop.send(
        {"type": "track", "userId": "u1", "messageId": "m1"},
        {"type": "group", "userId": "u1", "messageId": "m2"},
        key="import",
    )

    only = line(shop, message_id="m2", type="group", status="rejected", reason="missing_group_id")
    keys = shop.ask("GET", "/v1/keys").json()["keys"]
    assert [key["key_id"] for key in keys if "import" in key["scopes"]] == [only["source"]]


@pytest.mark.parametrize(
    ("call", "reason", "message_id"),
    [
        ({"messageId": "m1", "context": 1}, "context_not_object", "m1"),
        ({"messageId": "m1", "properties": {"a": "x" * LARGEST_ITEM}}, "too_large", "m1"),
        ({"messageId": "m" * 101}, "message_id_too_long", None),
        ({"messageId": "a\0b"}, "bad_message_id", "a\0b"),
    ],
)
def test_a_single_rejected_call_is_listed(
    shop: Shop, call: dict[str, Any], reason: str, message_id: str | None
) -> None:
    """It was answered 400."""
    answer = shop.ask("POST", "/v1/identify", "write", json={"userId": "u1", **call})

    assert (answer.status_code, answer.json()["code"]) == (400, reason)
    line(shop, message_id=message_id, type="identify", status="rejected", reason=reason)


def test_an_unresolved_call_is_listed_with_its_reasons(shop: Shop) -> None:
    """The call names no usable identifier."""
    shop.send({"type": "page", "userId": "null", "messageId": "m1"})

    line(shop, message_id="m1", type="page", status="unresolved", demoted=[unlinked("blocked")])


def test_a_blocked_value_of_a_stored_call_is_shown(shop: Shop) -> None:
    """With the profile of the call."""
    call = {"type": "track", "anonymousId": "a1", "userId": "Null", "messageId": "m1"}
    profile_id = shop.send(call)[0]["profile_id"]

    demoted = [unlinked("blocked", identifier="user_id:Null")]
    line(shop, message_id="m1", type="track", status="accepted", demoted=demoted, profile_id=profile_id)


def test_an_identifier_beyond_a_limit_is_listed_with_its_value(shop: Shop) -> None:
    """A merged profile has its canonical id."""
    shop.send({"type": "track", "anonymousId": "a0"})
    shop.ask("PUT", "/v1/rules", json={"limits": {"crm": {"max": 1}}})
    shop.send({"type": "track", "anonymousId": "a1", "messageId": "m1", "context": externals(3, "crm")})
    # Other rules meanwhile do not change what was.
    shop.ask("PUT", "/v1/rules", json={"limits": {"crm": {"max": 9}}, "blocked": {"crm": ["v.*"]}})
    merged = shop.send({"type": "track", "anonymousId": "a0", "userId": "u1"}, {"type": "track", "userId": "u1"})
    shop.send({"type": "track", "anonymousId": "a1", "userId": "u1"})
    canonical = shop.ask("GET", "/v1/profiles/anonymous_id:a1").json()["profile_id"]
    assert canonical == merged[0]["profile_id"]

    demoted = [unlinked("limit:crm", identifier="crm:v1"), unlinked("limit:crm", identifier="crm:v2")]
    line(shop, message_id="m1", status="accepted", demoted=demoted, profile_id=canonical)


def test_a_refused_alias_is_listed_as_accepted_with_a_demotion(shop: Shop) -> None:
    """The previous id is the demoted identifier."""
    shop.send({"type": "identify", "userId": "u1"}, {"type": "identify", "userId": "u2"})
    shop.send({"type": "alias", "userId": "u1", "previousId": "u2", "messageId": "m1"})

    line(shop, message_id="m1", type="alias", demoted=[unlinked("alias_both_known", identifier="user_id:u2")],
         profile_id=shop.ask("GET", "/v1/profiles/user_id:u1").json()["profile_id"])  # fmt: skip


def test_identifiers_of_bad_types_are_counted_without_values(shop: Shop) -> None:
    """As are types beyond the limit of 64."""
    shop.send({"type": "track", "userId": "u1", "messageId": "m1", "context": externals(70)})
    shop.send({"type": "track", "userId": "u1", "messageId": "m2", "context": externals(2, "no type {}")})

    lines = listed(shop)
    assert [(each["message_id"], each["status"], each["demoted"]) for each in lines] == [
        ("m2", "accepted", [unlinked("bad_type", 2)]),
        ("m1", "accepted", [unlinked("bad_type", 6)]),
    ]


def test_traits_beyond_the_size_limit_are_listed_by_name(shop: Shop) -> None:
    """Up to 50 names."""
    for n in range(4):
        shop.send({"type": "identify", "userId": "u1", "traits": {f"big{n}": BIG}})
    traits = {f"small{n}": "x" * 100 for n in range(200)}
    shop.send({"type": "identify", "userId": "u1", "messageId": "m1", "traits": traits})

    kept = shop.ask("GET", "/v1/profiles/user_id:u1").json()["traits"]
    ignored = [name for name in traits if name not in kept]
    assert len(ignored) > MOST_NAMES
    line(shop, message_id="m1", type="identify", status="accepted", reason="trait_limit",
         ignored_traits=ignored[:MOST_NAMES], ignored_count=len(ignored))  # fmt: skip


def test_a_suppressed_call_is_listed_without_a_trace_of_the_person(shop: Shop, suppress: Suppress) -> None:
    """Also when a public key sent it."""
    suppress(shop, "user_id", "gone")
    call = {"userId": "gone", "messageId": "m1", "receivedAt": "2020-01-01T00:00:00Z"}
    assert shop.ask("POST", "/v1/track", "write", json=call).status_code == 200
    assert shop.send({"type": "track", **call}, {"type": "page", **call})[0]["status"] == "suppressed"

    lines = listed(shop)
    assert [(each["status"], each["type"]) for each in lines] == [
        ("suppressed", kind) for kind in ("page", "track", "track")
    ]
    assert all(each["message_id"] is None and each["demoted"] == [] for each in lines)
    assert all(not each["received_at"].startswith("2020") for each in lines)


def test_a_suppressed_identifier_in_a_call_of_another_person_is_counted(shop: Shop, suppress: Suppress) -> None:
    """Without its value and without the message id."""
    suppress(shop, "email", "gone@example.com")
    shop.send({"type": "identify", "userId": "u1", "messageId": "m1", "traits": {"email": "Gone@Example.com"}})

    line(shop, message_id=None, type="identify", status="accepted", demoted=[unlinked("suppressed")])


def test_rejections_and_demotions_come_in_one_order(shop: Shop) -> None:
    """Newest first, and pages may end anywhere."""
    for n in range(4):
        shop.send(
            {"type": "nonsense", "messageId": f"r{n}"},
            {"type": "track", "anonymousId": f"a{n}", "userId": "null", "messageId": f"d{n}"},
            {"type": "track", "messageId": f"u{n}"},
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
            {"type": "track", "anonymousId": f"a{n}", "userId": "null", "messageId": f"{n}-d"},
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
    shop.send({"type": "track", "anonymousId": "a1", "userId": "null", "messageId": "old too"})
    first, second = listed(shop)
    moment = datetime.fromisoformat(first["at"]) + timedelta(milliseconds=1)
    while datetime.now(UTC) <= moment:
        time.sleep(0.001)
    shop.send({"type": "nonsense", "messageId": "r1"}, {"type": "track", "messageId": "r2"})
    shop.send({"type": "track", "anonymousId": "a1", "userId": "null", "messageId": "d1"})

    def of(since: str) -> list[str]:
        return [each["message_id"] for each in listed(shop, since=since, limit=1)]

    assert of(moment.isoformat()) == ["d1", "r2", "r1"]
    assert of(second["at"]) == of("0001-01-01") == of("1969-12-31T23:59:59Z") == ["d1", "r2", "r1", "old too", "old"]
    assert of("9999-12-31T23:59:59.999999Z") == []


@pytest.mark.parametrize("since", ["", "yesterday", "1700000000", "2026-02-30T00:00:00Z", "x" * 400])
def test_an_unreadable_since_is_answered_400(shop: Shop, since: str) -> None:
    """Never with the whole list."""
    answer = shop.ask("GET", "/v1/rejections", params={"since": since})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_a_cursor_is_valid_for_this_list_of_this_space_only(shop: Shop, other_shop: Shop) -> None:
    """Any other is answered 400."""
    for each in (shop, other_shop):
        each.send({"type": "nonsense"}, {"type": "nonsense"}, {"type": "track", "userId": "u1"})
        each.send({"type": "track", "userId": "u2"})
    foreign = other_shop.ask("GET", "/v1/rejections?limit=1").json()["next_cursor"]
    other_list = shop.ask("GET", "/v1/profiles?limit=1").json()["next_cursor"]

    for cursor in (foreign, other_list, "nonsense", "AAAA"):
        answer = shop.ask("GET", "/v1/rejections", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_another_space_sees_none_of_the_list(shop: Shop, other_shop: Shop) -> None:
    """Each space has its own."""
    other_shop.send({"type": "nonsense"}, {"type": "track", "userId": "null", "anonymousId": "a1"})

    assert len(listed(other_shop)) == 2
    assert listed(shop) == []


@pytest.mark.parametrize("key", ["write", "import", "profiles", "privacy"])
def test_only_an_admin_key_reads_the_list(shop: Shop, key: str) -> None:
    """Every other key is answered 403."""
    assert shop.ask("GET", "/v1/rejections", key).status_code == 403


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
                    {"type": "track", "userId": f"u{n % 3}", "messageId": f"{thread}-{n}-ok"},
                    {"type": "track", "messageId": f"{thread}-{n}-u"},
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
    shop.ask("POST", "/v1/track", "write", json={"context": 1})
    shop.ask("POST", "/v1/track", "write", content=b"{")
    shop.send(
        {"type": "nonsense"},
        {"type": "track", "userId": "gone"},
        {"type": "track"},
        {"type": "track", "userId": "null", "anonymousId": "a1"},
        {"type": "track", "userId": "u1", "anonymousId": "a1", "context": externals(1, "no type")},
    )
    for n in range(6):
        shop.send({"type": "identify", "userId": "u1", "traits": {f"big{n}": BIG}})
    suppress(shop, "anonymous_id", "gone")
    shop.send({"type": "track", "userId": "u1", "anonymousId": "gone"})
    after = counted()

    grown = {name: after[name] - before[name] for name in series}
    assert grown == dict.fromkeys(series, 1) | {'onefold_calls_total{status="rejected"}': 2} | {
        "onefold_ignored_traits_total": 2
    }
