"""A refused join links nothing and stays refused until a server key proves it."""

from typing import Any

from tests.app.conftest import Shop
from tests.support.http.waiting_joins import ANN, CLAIM, decide, joins, profile_id, public, rebuild


def test_a_refused_join_is_not_shown_again(shop: Shop) -> None:
    """Neither after later calls of the same pair, nor after a rebuild; nothing is joined."""
    shop.send(ANN)
    public(shop, CLAIM)
    (join,) = joins(shop)
    refused = decide(shop, join, "refuse")
    assert (refused["state"], refused["refused_at"] is not None) == ("refused", True)
    other: dict[str, Any] = {
        "type": "track",
        "event": "e",
        "anonymousId": "tablet",
        "context": {"device": {"type": "ios", "id": "d1"}},
    }
    both = {"traits": CLAIM["traits"], **other["context"]}
    public(shop, CLAIM, other, {**other, "context": both}, {**CLAIM, "anonymousId": "phone", "context": both})
    rebuild(shop)

    assert joins(shop) == []
    assert [each["join_id"] for each in joins(shop, "refused")].count(join["join_id"]) == 1
    assert profile_id(shop, "anonymous_id:tablet") != profile_id(shop, "user_id:ann")
    history = shop.ask("GET", "/v1/profiles/anonymous_id:tablet/history").json()["history"]
    assert "join_refused" in [line["type"] for line in history]
    assert decide(shop, join, "confirm", 409)["code"] == "join_not_waiting"
    # A server may still know better.
    shop.send({**ANN, "anonymousId": "tablet"})
    assert joins(shop, "refused") == []
