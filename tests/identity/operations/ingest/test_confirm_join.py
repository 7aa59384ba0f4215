"""A confirmed join is made as by a call of a server key, or not at all."""

from tests.app.conftest import Shop
from tests.support.http.waiting_joins import ANN, CLAIM, decide, joins, profile_id, public, rebuild


def test_a_confirmed_join_is_made_as_by_a_server_and_stays_so(shop: Shop) -> None:
    """The profiles are one, in the feed and the history as after any merge; a rebuild makes the join again."""
    shop.send(ANN)
    public(shop, CLAIM)
    (join,) = joins(shop)
    made = decide(shop, join, "confirm")
    assert made["state"] == "made"
    assert made["claimed_by"] == made["borne_by"] == join["borne_by"]
    assert joins(shop) == []
    for _ in range(2):
        assert profile_id(shop, "anonymous_id:tablet") == profile_id(shop, "user_id:ann") == join["borne_by"]
        rebuild(shop)
    history = shop.ask("GET", "/v1/profiles/user_id:ann/history").json()["history"]
    assert "merged" in [line["type"] for line in history]
    path = "/v1/profiles/user_id:ann/explain?from=anonymous_id:tablet&to=email:ann@shop.example"
    explained = shop.ask("GET", path).json()
    assert [link["server_side"] for link in explained["shortest"]] == [True]
    assert decide(shop, join, "confirm", 409)["code"] == "join_not_waiting"
    assert decide(shop, join, "refuse", 409)["code"] == "join_not_waiting"


def test_a_value_beside_that_of_a_server_waits_too(shop: Shop) -> None:
    """Nobody has it; a confirmation links it."""
    shop.send(ANN)
    public(shop, {"type": "identify", "userId": "ann", "traits": {"email": "new@shop.example"}})
    (join,) = joins(shop)
    assert (join["value"], join["borne_by"]) == ("new@shop.example", None)
    assert decide(shop, join, "confirm")["state"] == "made"
    assert profile_id(shop, "email:new@shop.example") == profile_id(shop, "user_id:ann")


def test_a_confirmed_claim_on_a_claim_takes_it_over(shop: Shop) -> None:
    """As a call of a server does: two people who claim one address are not joined."""
    public(shop, {"type": "identify", "userId": "mallory", "traits": {"email": "ann@shop.example"}})
    public(shop, {"type": "identify", "userId": "ann", "traits": {"email": "ann@shop.example"}})
    (join,) = joins(shop)
    assert decide(shop, join, "confirm")["state"] == "made"
    assert profile_id(shop, "email:ann@shop.example") == profile_id(shop, "user_id:ann")
    assert profile_id(shop, "user_id:mallory") != profile_id(shop, "user_id:ann")


def test_a_join_that_the_rules_forbid_is_not_made(shop: Shop) -> None:
    """Two user ids are two people; the answer names the reason, and nothing is stored."""
    shop.send(ANN)
    public(shop, {"type": "identify", "userId": "mallory", "traits": {"email": "ann@shop.example"}})
    (join,) = joins(shop)
    problem = decide(shop, join, "confirm", 409)
    assert problem["code"] == "join_does_not_fit"
    assert "limit:user_id" in problem["detail"]
    assert joins(shop) == [join]
    assert shop.ask("GET", "/v1/rejections").json()["rejections"][1:] == []
