"""Suppressions beside erasures: what an erasure says of them, and what the end of a wait leaves of them."""

from typing import Any

import pytest

from tests.app.conftest import Shop


def erase(shop: Shop, *identifiers: str, **wanted: Any) -> Any:
    """The answer to an erasure."""
    return shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": list(identifiers), **wanted})


@pytest.mark.parametrize("earlier", [True, False], ids=["suppressed before", "not suppressed before"])
@pytest.mark.parametrize("suppress", [True, False], ids=["suppress", "suppress false"])
def test_an_erasure_says_whether_its_identifier_is_suppressed(shop: Shop, *, suppress: bool, earlier: bool) -> None:
    """Now, by any request: an erasure without suppression lifts none, and a lift shows at once."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    if earlier:
        shop.ask("POST", "/v1/suppressions", "privacy", json={"identifiers": ["user_id:ann"]})
    made = erase(shop, "user_id:ann", "user_id:nobody", suppress=suppress).json()["erasures"]
    assert [each["suppressed"] for each in made] == [suppress or earlier, suppress]

    def shown() -> bool:
        return bool(shop.ask("GET", f"/v1/erasures/{made[0]['erasure_id']}", "privacy").json()["suppressed"])

    assert shown() is (suppress or earlier)
    assert (shop.send({"type": "identify", "userId": "ann"})[0]["status"] == "suppressed") is shown()
    shop.ask("POST", "/v1/suppressions/lift", "privacy", json={"identifiers": ["user_id:ann"]})
    assert shown() is False


def test_the_end_of_a_wait_lifts_no_suppression_of_another_request(shop: Shop) -> None:
    """An erasure without suppression drops calls while it waits; what others asked to suppress stays suppressed."""
    shop.send({"type": "identify", "userId": "bob", "traits": {"email": "bob@example.org"}})
    for user in ("ann", "eve"):
        shop.send({"type": "identify", "userId": user, "traits": {"email": f"{user}@example.org"}})
    everybody = [f"user_id:{user}" for user in ("ann", "bob", "eve")]
    hold = shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": everybody, "reason": "case"}).json()
    shop.ask("POST", "/v1/suppressions", "privacy", json={"identifiers": ["user_id:ann"]})
    waiting = erase(shop, *everybody, suppress=False).json()["erasures"]
    assert [each["suppressed"] for each in waiting] == [True, True, True]
    erase(shop, "user_id:eve")
    shop.ask("DELETE", f"/v1/holds/{hold['hold_id']}", "privacy")

    calls: list[dict[str, Any]] = [{"userId": user} for user in ("ann", "bob", "eve")]
    calls.append({"anonymousId": "a9", "traits": {"email": "eve@example.org"}})
    outcomes = [shop.send({"type": "identify", **call})[0] for call in calls]
    assert [each["reason"] for each in outcomes] == ["suppressed", None, "suppressed", "suppressed"]


def test_a_cancelled_erasure_drops_no_earlier_call_and_has_no_receipt(shop: Shop) -> None:
    """Nothing was erased, so a call that arrives late is no call from before an erasure."""
    shop.send({"type": "identify", "userId": "ann"})
    shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:ann"], "reason": "case"})
    made = erase(shop, "user_id:ann", suppress=False).json()
    receipt = f"/v1/erasures/{made['erasures'][0]['erasure_id']}/receipt"
    assert "waits for a litigation hold" in shop.ask("GET", receipt, "privacy").json()["detail"]
    assert shop.ask("DELETE", f"/v1/regulations/{made['request_id']}", "privacy").status_code == 200
    late = {"type": "track", "event": "E", "userId": "ann", "timestamp": "2026-01-01T00:00:00Z"}
    assert shop.send(late)[0]["status"] == "accepted"
    assert "was cancelled" in shop.ask("GET", receipt, "privacy").json()["detail"]
