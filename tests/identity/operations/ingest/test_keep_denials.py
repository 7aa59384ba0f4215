"""What a person denied in a browser stays denied where an export parts the browser from the person."""

from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.destinations.destination_feed import PURPOSES
from tests.support.http.unmerges import get, ids
from tests.support.http.waiting_joins import ANN, public

ALLOWING = {**PURPOSES, "unset": "allow"}
GRANT = {"Marketing": True, "Product": True}


def granted(shop: Shop) -> dict[str, bool]:
    """Whether each purpose is granted for Ann."""
    purposes = shop.ask("GET", "/v1/consent/user_id:ann", "privacy").json()["purposes"]
    return {name: each["granted"] for name, each in purposes.items()}


@pytest.mark.parametrize(
    ("consent", "denied"),
    [
        ({"consent": {"categoryPreferences": {"Marketing": False, "Product": True}}}, {"Marketing"}),
        ({"gpc": True}, {"Marketing"}),
        ({"consent": {"categoryPreferences": GRANT}}, set()),
        ({}, set()),
    ],
    ids=["categories", "opt-out", "grant", "nothing"],
)
def test_a_denial_in_a_browser_that_is_cut_off_stays_in_force(
    shop: Shop, consent: dict[str, Any], denied: set[str]
) -> None:
    """A grant and an undecided purpose add nothing."""
    assert shop.ask("PUT", "/v1/purposes", json=ALLOWING).status_code == 200
    shop.send(ANN)
    public(shop, {"type": "page", "anonymousId": "browser", "context": consent})
    public(shop, {"type": "identify", "userId": "ann", "anonymousId": "browser"})
    before = granted(shop)
    assert {name for name, each in before.items() if not each} == denied

    wanted = {"identifiers": ["user_id:ann"], "public_joins": "cut"}
    assert shop.ask("POST", "/v1/exports", "privacy", json=wanted).status_code == 202
    assert "anonymous_id:browser" not in ids(get(shop, "user_id:ann"))
    assert granted(shop) == before
    history = shop.ask("GET", "/v1/consent/user_id:ann", "privacy").json()["history"]
    assert [set(each["decisions"]) for each in history if each["class"] == "server"] == ([denied] if denied else [])

    body = {"identifier": "user_id:ann", "decisions": GRANT}
    assert shop.ask("POST", "/v1/consent", "privacy", json=body).status_code == 200
    assert all(granted(shop).values())
