"""The classes of links, as explanations and graphs show them and privacy requests decide by them."""

import time
from typing import Any

from tests.app.conftest import Shop
from tests.support.http.waiting_joins import public
from tests.support.keys.identity_tokens import signed


def classes(shop: Shop, ref: str) -> dict[frozenset[str], str]:
    """The class of each link of the graph of a profile, by its ends."""
    links = shop.ask("GET", f"/v1/profiles/{ref}/graph").json()["links"]
    return {frozenset((link["from"], link["to"])): link["class"] for link in links}


def test_a_link_is_of_its_best_call(shop: Shop) -> None:
    """A token proves the links between what it names and no other; a later call of a server counts too."""
    key = shop.ask("POST", "/v1/identity-keys", json={"name": "web", "algorithm": "HS256"}).json()
    now = int(time.time())
    claims = {"aud": shop.space_id, "sub": "bob", "email": "bob@shop.example", "iat": now, "exp": now + 600}
    token = signed(claims, kid=key["key_id"], key=key["secret"])
    call: dict[str, Any] = {"type": "identify", "userId": "bob", "anonymousId": "phone"}
    public(shop, call, {**call, "traits": {"email": "bob@shop.example"}, "context": {"identityToken": token}})
    shop.send({"type": "track", "event": "E", "userId": "bob", "context": {"device": {"type": "ios", "id": "d1"}}})

    user, email, phone = "user_id:bob", "email:bob@shop.example", "anonymous_id:phone"
    found = classes(shop, user)
    assert found == {
        frozenset((user, email)): "proven",
        frozenset((user, phone)): "public",
        frozenset((email, phone)): "public",
        frozenset((user, "ios.id:d1")): "server",
    }
    explained = shop.ask("GET", f"/v1/profiles/{user}/explain?from={email}&to={user}").json()
    assert [link["class"] for link in explained["shortest"]] == ["proven"]
    made = shop.ask("POST", "/v1/exports", "privacy", json={"identifiers": [user]}).json()
    assert made["public_joins"]["identifiers"] == [phone]
    shop.send({"type": "track", "event": "E", "userId": "bob", "anonymousId": "phone"})
    assert classes(shop, user)[frozenset((user, phone))] == "server"
    shown = shop.ask("POST", "/v1/exports", "privacy", json={"identifiers": [user], "public_joins": "refuse"})
    assert (shown.status_code, shown.json()["public_joins"]) == (202, None)
