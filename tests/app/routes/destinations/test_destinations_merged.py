"""What a destination may see of merged people when only some of their origins are visible."""

from collections.abc import Callable

import pytest

from tests.app.conftest import Shop
from tests.support.destinations.destination_feed import PURPOSES, Feed, statement


@pytest.fixture
def feed(shop: Shop) -> Callable[..., Feed]:
    """Destinations of a space with purposes."""
    assert shop.ask("PUT", "/v1/purposes", json=PURPOSES).json() == {"version": 1}
    return lambda *name, **entitled: Feed(shop, *name, **entitled)


def half(shop: Shop) -> None:
    """Somebody shown under the id of their older origin, of which nothing may be seen."""
    shop.send(statement(anonymousId="a1", traits={"name": "A", "email": "a@example.org"}))
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
    shop.send({"type": "track", "event": "E", "userId": "ann", "anonymousId": "a1"})


def test_an_unmerge_withdraws_an_id_left_with_nothing_visible(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Under the id that was disclosed."""
    mail = feed()
    half(shop)
    mail.pull()
    (id_,) = mail.held
    parted = shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": ["user_id:ann"]}).json()
    assert parted["remaining_profile_id"] == id_
    mail.pull()
    assert set(mail.held) == {parted["profile_id"]}


def test_a_hold_withdraws_under_the_disclosed_id(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Also where that origin has nothing visible."""
    mail = feed()
    half(shop)
    mail.pull()
    (id_,) = mail.held
    held = {"identifiers": ["user_id:ann"], "reason": "suit"}
    assert shop.ask("POST", "/v1/holds", "privacy", json=held).status_code in (200, 201)
    assert shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:ann"]}).status_code == 202
    assert ("withdraw", id_) in [(line["op"], line["profile_id"]) for line in mail.pull()]
    assert mail.held == {}


def test_an_identifier_of_an_invisible_origin_finds_nobody(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Even when the profile has a visible origin."""
    mail = feed()
    half(shop)
    mail.pull()
    (id_,) = mail.held
    assert mail.look(id_).json()["identifiers"] == []
    assert mail.look("email:a@example.org").status_code == 404


def test_an_older_value_that_counts_again_is_disclosed(shop: Shop, feed: Callable[..., Feed]) -> None:
    """When its origin repeats it."""
    mail = feed()
    shop.send(statement({"Marketing": True}, anonymousId="a1", traits={"plan": "free"}))
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
    shop.send({"type": "track", "event": "E", "userId": "ann", "anonymousId": "a1"})
    mail.pull()
    assert [held["traits"] for held in mail.held.values()] == [{"plan": "pro"}]
    shop.send(statement(anonymousId="a1", traits={"plan": "free"}))
    assert shop.ask("GET", "/v1/profiles/user_id:ann", "privacy").json()["traits"] == {"plan": "free"}
    mail.pull()
    assert [held["traits"] for held in mail.held.values()] == [{"plan": "free"}]


def test_an_earlier_decision_counts_for_the_time_before_a_merge(shop: Shop, feed: Callable[..., Feed]) -> None:
    """The origins had not met then."""
    feed()
    shop.send(statement({"Marketing": True}, anonymousId="a1", traits={"plan": "free"}))
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
    at = shop.ask("GET", "/v1/profiles/user_id:ann", "privacy").json()["updated_at"]
    shop.send({"type": "track", "event": "E", "userId": "ann", "anonymousId": "a1"})
    answer = shop.ask("GET", "/v1/consent/user_id:ann", "privacy", params={"at": at})
    assert answer.status_code == 200, answer.text
    assert answer.json()["consent"]["Marketing"]["value"]


def test_a_merge_with_an_undisclosed_person_is_not_disclosed(shop: Shop, feed: Callable[..., Feed]) -> None:
    """Neither is the unmerge."""
    mail = feed()
    shop.send(statement({"Marketing": True}, userId="ann", traits={"plan": "pro"}))
    mail.pull()
    (id_,) = mail.held
    shop.send(statement(anonymousId="a1", traits={"name": "A"}))
    shop.send({"type": "track", "event": "E", "userId": "ann", "anonymousId": "a1"})
    assert [(line["op"], line["other_profile_ids"]) for line in mail.pull()] == [("upsert", [])]
    assert mail.look(id_).json()["merged_from"] == []
    shop.ask("POST", "/v1/profiles/unmerge", "privacy", json={"identifiers": ["anonymous_id:a1"]})
    assert {(line["op"], line["profile_id"]) for line in mail.pull()} == {("upsert", id_)}
    assert set(mail.held) == {id_}
