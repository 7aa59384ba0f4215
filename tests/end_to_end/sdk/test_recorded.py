"""Recorded requests, byte by byte, of SDKs that no test runs.

Mobile SDKs say their key in the body and nothing in a header, Ruby's and Go's the other way
round, browsers of before 2026 send no header at all so that no preflight is needed.
"""

import base64
import gzip
import json
from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.end_to_end.attacks.wire import Answer, exchange

SENT_AT = "2026-01-02T03:04:05.678Z"


def event(kind: str, **more: Any) -> dict[str, Any]:
    """A call as the mobile SDKs and the browser write it."""
    return {
        "type": kind,
        "anonymousId": "anon-1",
        "timestamp": SENT_AT,
        "context": {"library": {"name": "sdk", "version": "1"}, "timezone": "Europe/Berlin"},
        "integrations": {},
        **more,
    }


CALLS = [
    event("screen", name="Home", messageId="m-1", properties={}),
    event("identify", userId="ann", messageId="m-2", traits={"email": "ann@example.org"}),
    event("track", userId="ann", event="Bought", messageId="m-3", properties={"price": 1.5}),
    event("group", userId="ann", groupId="acme", messageId="m-4", traits={}),
]


def request(path: str, body: bytes, *headers: str, chunked: bool = False) -> bytes:
    """A whole request; a chunked one in three pieces."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    lines = [f"POST {path} HTTP/1.1", "Host: cdp.example.com", "Connection: close", *headers, framing]
    if chunked:
        third = len(body) // 3
        parts = [body[:third], body[third : 2 * third], body[2 * third :], b""]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def basic(key: str) -> str:
    """The header of SDKs that send their key as a user name."""
    return f"Authorization: Basic {base64.b64encode(f'{key}:'.encode()).decode()}"


def kotlin(key: str) -> bytes:
    """analytics-kotlin: always gzip, always chunked, text/plain, key in the body."""
    body = json.dumps({"batch": CALLS, "sentAt": SENT_AT, "writeKey": key}).encode()
    headers = ("Content-Type: text/plain", "Content-Encoding: gzip", "User-Agent: analytics-kotlin/1.19.2")
    return request("/v1/b", gzip.compress(body), *headers, chunked=True)


def swift(key: str) -> bytes:
    """analytics-swift: a file of calls, key in the body."""
    body = json.dumps({"batch": CALLS, "sentAt": SENT_AT, "writeKey": key}).encode()
    headers = (
        "Content-Type: application/json; charset=utf-8",
        "Accept-Encoding: gzip",
        "User-Agent: analytics-ios/1.9.0",
    )
    return request("/v1/b", body, *headers)


def ruby(key: str) -> bytes:
    """analytics-ruby: key in a header only."""
    body = json.dumps({"sentAt": SENT_AT, "batch": CALLS}).encode()
    headers = (
        basic(key),
        "Content-Type: application/json",
        "Accept: application/json",
        "User-Agent: analytics-ruby/2.5.0",
    )
    return request("/v1/batch", body, *headers)


def go(key: str) -> bytes:
    """analytics-go: key in a header only, and an id and a context around the batch."""
    around = {"messageId": "batch-1", "sentAt": SENT_AT, "context": {"library": {"name": "analytics-go"}}}
    body = json.dumps(
        {**around, "batch": [{k: v for k, v in call.items() if k != "context"} for call in CALLS]}
    ).encode()
    headers = (basic(key), "Content-Type: application/json", "User-Agent: analytics-go (version: 3.0.0)")
    return request("/v1/batch", body, *headers, "Accept-Encoding: gzip")


def browser_batch(key: str) -> bytes:
    """analytics-next, batching: text/plain, key in header and body."""
    body = json.dumps({"writeKey": key, "batch": CALLS, "sentAt": SENT_AT}).encode()
    return request("/v1/b", body, basic(key), "Content-Type: text/plain", "Origin: https://shop.example")


BATCHES = [kotlin, swift, ruby, go, browser_batch]


@pytest.mark.parametrize("sdk", BATCHES, ids=lambda sdk: sdk.__name__)
def test_recorded_batches_count_each_call_once(shop: Shop, sdk: Any) -> None:
    """Taken with 200 and nothing else, each call once, however often it is sent."""
    answers = [exchange(shop.client.base_url, sdk(shop.keys["write"])) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.json() for answer in answers] == [{"success": True}] * 2
    found = shop.ask("GET", "/v1/profiles/anonymous_id:anon-1").json()
    assert found["event_count"] == len(CALLS)
    assert {each["type"] for each in found["identifiers"]} == {"anonymous_id", "user_id", "email"}
    assert found["groups"] == ["acme"]


@pytest.mark.parametrize("sdk", BATCHES, ids=lambda sdk: sdk.__name__)
def test_a_wrong_key_gets_a_code_and_a_message(shop: Shop, sdk: Any) -> None:
    """The refusal of a wrong key has a code and a message, in JSON."""
    answer = exchange(shop.client.base_url, sdk("nobody"))

    assert answer.status == 401
    assert answer.json() == {"success": False, "code": "invalid_write_key", "message": answer.json()["message"]}
    assert isinstance(answer.json()["message"], str)


def test_browsers_of_before(shop: Shop) -> None:
    """One call a request by its letter, key in the body, no header that would ask for a preflight."""
    key = shop.keys["write"]
    for call in CALLS:
        body = json.dumps(
            {**call, "sentAt": SENT_AT, "writeKey": key, "_metadata": {"bundled": ["Segment.io"]}}
        ).encode()
        headers = ("Content-Type: text/plain", "Origin: https://shop.example", "Referer: https://shop.example/")
        answer = exchange(shop.client.base_url, request(f"/v1/{call['type'][0]}", body, *headers))
        assert answer.status == 200
        assert b"access-control-allow-origin: https://shop.example" in answer.head
    found = shop.ask("GET", "/v1/profiles/user_id:ann").json()

    assert found["event_count"] == len(CALLS)
    events = shop.ask("GET", f"/v1/spaces/{shop.space_id}/collections/users/profiles/user_id:ann/events").text
    assert key not in events
    assert "_metadata" not in events


def test_a_clock_that_is_wrong(shop: Shop) -> None:
    """A device whose clock is a day behind says so by when it sent; its calls are moved to when they happened."""
    call = event("track", userId="ann", event="Bought", messageId="m-1")
    call["timestamp"] = "2026-01-02T03:04:00.678Z"
    shop.send(call, key="import")
    body = json.dumps(
        {"batch": [{**call, "messageId": "m-2"}], "sentAt": SENT_AT, "writeKey": shop.keys["write"]}
    ).encode()
    answer: Answer = exchange(shop.client.base_url, request("/v1/b", body))
    assert answer.status == 200
    events = f"/v1/spaces/{shop.space_id}/collections/users/profiles/user_id:ann/events"
    corrected, plain = shop.ask("GET", events).json()["data"]

    assert plain["timestamp"] == "2026-01-02T03:04:00.678Z"
    # Five seconds before it was received.
    assert corrected["timestamp"] > plain["timestamp"]
    profile = shop.ask("GET", "/v1/profiles/user_id:ann").json()
    assert corrected["timestamp"] < profile["updated_at"]
