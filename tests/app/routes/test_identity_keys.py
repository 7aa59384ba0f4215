"""The keys of identity tokens over HTTP: added with the secret once, listed without it, ended once."""

from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.keys.identity_tokens import PRIVATE, pem_of

PATH = "/v1/identity-keys"


def add(shop: Shop, **body: Any) -> dict[str, Any]:
    """The answer to a key that is added."""
    answer = shop.ask("POST", PATH, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def keys(shop: Shop) -> list[dict[str, Any]]:
    """The keys in force."""
    return list(shop.ask("GET", PATH).json()["keys"])


def test_a_secret_is_shown_once(shop: Shop) -> None:
    """The list has the oldest first, a public key in PEM, and of a shared one no secret."""
    web = add(shop, name=" web ", algorithm="HS256")
    app = add(shop, name="app", algorithm="ES256", public_key=pem_of(PRIVATE["ES256"]))

    assert web["secret"]
    assert (web["name"], "secret" in app) == ("web", False)
    listed = keys(shop)
    assert [each["key_id"] for each in listed] == [web["key_id"], app["key_id"]]
    assert [each.get("public_key", "").strip() for each in listed] == ["", pem_of(PRIVATE["ES256"]).strip()]
    assert web["secret"] not in shop.ask("GET", PATH).text


def test_a_third_key_waits_until_one_ends(shop: Shop) -> None:
    """An ended key is unknown from then on, also to a second request to end it."""
    first, second = (add(shop, name=name, algorithm="HS256") for name in ("a", "b"))
    refused = shop.ask("POST", PATH, json={"name": "c", "algorithm": "HS256"})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_identity_keys")
    assert shop.ask("DELETE", f"{PATH}/{first['key_id']}").status_code == 204
    again = shop.ask("DELETE", f"{PATH}/{first['key_id']}")
    assert (again.status_code, again.json()["code"]) == (404, "identity_key_not_found")

    third = add(shop, name="c", algorithm="HS256")
    assert [each["key_id"] for each in keys(shop)] == [second["key_id"], third["key_id"]]


def test_a_space_has_its_own_keys(shop: Shop, other_shop: Shop) -> None:
    """Another space neither lists nor ends them."""
    made = add(shop, name="web", algorithm="HS256")
    assert keys(other_shop) == []
    assert other_shop.ask("DELETE", f"{PATH}/{made['key_id']}").status_code == 404
    assert [each["key_id"] for each in keys(shop)] == [made["key_id"]]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "web"},
        {"name": "web", "algorithm": "none"},
        {"name": "web", "algorithm": "hs256"},
        {"name": "\n", "algorithm": "HS256"},
        {"name": "web", "algorithm": "HS256", "public_key": "secret"},
        {"name": "web", "algorithm": "RS256"},
        {"name": "web", "algorithm": "RS256", "public_key": "no PEM"},
        {"name": "web", "algorithm": "RS256", "public_key": pem_of(PRIVATE["ES256"])},
        {"name": "web", "algorithm": "HS256", "secret": "mine"},
        [],
    ],
)
def test_a_key_that_could_prove_nothing_is_refused(common_shop: Shop, body: object) -> None:
    """With a code, and nothing is in force."""
    answer = common_shop.ask("POST", PATH, json=body)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"]
    assert keys(common_shop) == []
