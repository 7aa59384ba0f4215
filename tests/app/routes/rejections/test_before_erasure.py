"""Calls that are older than an erasure of their person: dropped, with a reason of their own."""

from tests.app.conftest import Shop, Suppress
from tests.support.http.rejections import listed


def test_a_call_from_before_an_erasure_has_a_reason_of_its_own(shop: Shop, suppress: Suppress) -> None:
    """A late call is no call about a suppressed person; a public key gets one answer for all."""
    suppress(shop, "user_id", "gone")
    shop.send({"type": "identify", "userId": "late", "traits": {"email": "late@example.com"}})
    erased = {"identifiers": ["user_id:late", "email:never@example.com"], "suppress": False}
    assert shop.ask("POST", "/v1/erasures", "privacy", json=erased).status_code == 202
    old = "2026-01-01T00:00:00Z"
    calls = [
        {"type": "track", "event": "E", "userId": user, "timestamp": old, **extra}
        for user, extra in (
            ("gone", {}),
            ("late", {}),
            ("else", {"context": {"traits": {"email": "late@example.com"}}}),
        )
    ]
    outcomes = shop.send(*calls)
    assert [(each["status"], each["reason"], each["demoted"]) for each in outcomes] == [
        ("suppressed", "suppressed", []),
        ("suppressed", "before_erasure", []),
        ("accepted", None, [{"identifier": "email:late@example.com", "reason": "before_erasure"}]),
    ]
    lines = listed(shop, reason="before_erasure")
    assert [(each["status"], each["message_id"], each["demoted"]) for each in lines] == [
        ("accepted", None, [{"identifier": None, "reason": "before_erasure", "count": 1}]),
        ("suppressed", None, []),
    ]
    assert shop.send({"type": "track", "event": "E", "userId": "late"})[0]["status"] == "accepted"
    prefer = {"Prefer": "return=representation"}
    public = [shop.ask("POST", "/v1/track", "write", json=call, headers=prefer) for call in calls]
    assert len({(each.status_code, each.content) for each in public}) == 1


def test_a_suppressed_call_is_listed_without_a_trace_of_the_person(shop: Shop, suppress: Suppress) -> None:
    """Also when a public key sent it."""
    suppress(shop, "user_id", "gone")
    call = {"userId": "gone", "event": "E", "messageId": "m1", "receivedAt": "2020-01-01T00:00:00Z"}
    assert shop.ask("POST", "/v1/track", "write", json=call).status_code == 200
    assert shop.send({"type": "track", "event": "E", **call}, {"type": "page", **call})[0]["status"] == "suppressed"

    lines = listed(shop)
    assert [(each["status"], each["reason"], each["type"]) for each in lines] == [
        ("suppressed", "suppressed", kind) for kind in ("page", "track", "track")
    ]
    assert all(each["message_id"] is None and each["demoted"] == [] for each in lines)
    assert all(not each["received_at"].startswith("2020") for each in lines)
