"""Joins that wait for proof are listed with both sides, as long as both are there."""

from tests.app.conftest import Shop
from tests.support.http.waiting_joins import ANN, CLAIM, decide, joins, profile_id, public


def test_a_claim_is_listed_with_both_sides(shop: Shop) -> None:
    """Once for all its calls, with their number and the key that sent the first one."""
    shop.send(ANN)
    public(shop, CLAIM, CLAIM, {**CLAIM, "type": "track", "event": "e", "context": {"traits": CLAIM["traits"]}})

    (join,) = joins(shop)
    assert (join["type"], join["value"], join["class"], join["state"]) == (
        "email", "ann@shop.example", "public", "waiting",
    )  # fmt: skip
    assert join["claimed_by"] == profile_id(shop, "anonymous_id:tablet")
    assert join["borne_by"] == profile_id(shop, "user_id:ann")
    assert join["times"] == 3
    assert join["source"].startswith("key")
    assert join["first_seen"] <= join["last_seen"]
    assert shop.ask("GET", f"/v1/joins/{join['join_id']}", "privacy").json() == join
    assert joins(shop, "made") == joins(shop, "refused") == []


def test_a_later_server_call_makes_the_join(shop: Shop) -> None:
    """The join waits no more."""
    shop.send(ANN)
    public(shop, CLAIM)
    shop.send({**ANN, "anonymousId": "tablet"})
    assert joins(shop) == []
    assert [each["state"] for each in joins(shop, "made")] == ["made"]


def test_an_erasure_of_either_side_removes_the_join(shop: Shop) -> None:
    """Also for the person who has the identifier later."""
    for nr, gone in enumerate(("user_id:ann0", "anonymous_id:tablet1")):
        email = {"email": f"ann{nr}@shop.example"}
        shop.send({**ANN, "userId": f"ann{nr}", "traits": email})
        public(shop, {**CLAIM, "anonymousId": f"tablet{nr}", "traits": email})
        (join,) = joins(shop)
        body = {"identifiers": [gone], "suppress": False}
        assert shop.ask("POST", "/v1/erasures", "privacy", json=body).status_code == 202
        assert joins(shop) == []
        assert shop.ask("GET", f"/v1/joins/{join['join_id']}", "privacy").status_code == 404
        assert decide(shop, join, "confirm", 404)["code"] == "join_not_found"
        shop.send({**ANN, "userId": f"bob{nr}", "traits": email})
        assert joins(shop) == []


def test_a_page_ends_with_a_cursor_for_the_next(shop: Shop) -> None:
    """The newest first, each once, with two claims in one call."""
    traits = {"email": "ann@shop.example", "phone": "+49 30 901820"}
    shop.send({**ANN, "traits": traits})
    public(shop, *({"type": "identify", "anonymousId": f"d{nr}", "traits": traits} for nr in range(3)))
    found, cursor = [], ""
    while True:
        page = shop.ask("GET", f"/v1/joins?state=waiting&limit=2{cursor}").json()
        found += page["joins"]
        assert len(page["joins"]) <= 2
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len({each["join_id"] for each in found}) == len(found) == 6
    assert [each["first_seen"] for each in found] == sorted((each["first_seen"] for each in found), reverse=True)
    assert shop.ask("GET", "/v1/joins?cursor=none").status_code == 400
    assert shop.ask("GET", "/v1/joins/jon_none").status_code == 404


def test_an_unmerge_lets_the_claim_wait_again(shop: Shop) -> None:
    """Of the origin that made it; with a cut, a confirmation is refused."""
    shop.send(ANN)
    public(shop, CLAIM)
    (join,) = joins(shop)
    decide(shop, join, "confirm")
    shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": ["anonymous_id:tablet"]})
    (again,) = joins(shop)
    assert again["claimed_by"] == profile_id(shop, "anonymous_id:tablet")
    assert "separated" in decide(shop, again, "confirm", 409)["detail"]
