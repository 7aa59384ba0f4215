"""Attacks 220 to 224: identity tokens that are forged, stolen from another space, too old or of another person."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.app.conftest import Shop, until

ANN = {"type": "identify", "anonymousId": "phone-of-ann", "traits": {"email": "ann@shop.example", "plan": "pro"}}
MALLORY = {"type": "identify", "userId": "mallory", "traits": {"email": "ann@shop.example"}}
Minted = Callable[..., str]


@pytest.fixture
def minted(shop: Shop) -> Minted:
    """Mints tokens as the server of the shop does."""
    made = shop.ask("POST", "/v1/identity-keys", json={"name": "web", "algorithm": "HS256"})
    assert made.status_code == 201, made.text
    key = made.json()

    def mint(sub: str | None = None, *, secret: str | None = None, kid: str | None = None, **claims: Any) -> str:
        payload = {"aud": shop.space_id, "sub": sub, "exp": int(time.time()) + 600, **claims}
        given = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(given, secret or key["secret"], "HS256", headers={"kid": kid or key["key_id"]})

    return mint


def send(shop: Shop, call: dict[str, Any], token: object) -> None:
    """A call with a token by the key that stands in every page."""
    body = {**call, "context": {"identityToken": token}}
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": [body]}).json() == {"success": True}


def identifiers(shop: Shop, ref: str) -> set[str]:
    """The identifiers of the profile of an identifier."""
    answer = shop.ask("GET", f"/v1/profiles/{ref}", "profiles")
    assert answer.status_code == 200, answer.text
    return {f"{each['type']}:{each['value']}" for each in answer.json()["identifiers"]}


def listed(shop: Shop) -> list[str]:
    """The reasons of the field of the token in the list of rejections."""
    lines = shop.ask("GET", "/v1/rejections").json()["rejections"]
    return [
        each["reason"]
        for line in lines
        for each in line.get("ignored_fields", [])
        if each["field"] == "context.identityToken"
    ]


def test_a_proven_address_is_taken(shop: Shop, minted: Minted) -> None:
    """The call of the person herself links her address, and stays linked after a rebuild."""
    shop.send(ANN)
    send(shop, {"type": "identify", "userId": "ann", "anonymousId": "laptop"}, minted("ann", email="ann@shop.example"))
    whole = {"user_id:ann", "anonymous_id:laptop", "email:ann@shop.example", "anonymous_id:phone-of-ann"}
    assert identifiers(shop, "user_id:ann") == whole
    job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
    assert identifiers(shop, "user_id:ann") == whole
    assert listed(shop) == []

    ends = "from=user_id:ann&to=email:ann@shop.example"
    (link,) = shop.ask("GET", f"/v1/profiles/user_id:ann/explain?{ends}").json()["shortest"]
    proven = ["user_id:ann", "email:ann@shop.example"]
    assert [(call["server_side"], call["proven"]) for call in link["calls"]] == [(False, proven)]
    history = shop.ask("GET", "/v1/profiles/user_id:ann/history").json()["history"]
    assert proven in [line.get("proven") for line in history]


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (lambda _: "x.y.z", "malformed"),
        (lambda _: ["a"], "not_text"),
        (lambda _: "x" * 5_000, "too_long"),
        (lambda mint: mint("mallory", kid="idk_other", email="ann@shop.example"), "unknown_key"),
        (lambda mint: mint("mallory", secret="s" * 32, email="ann@shop.example"), "bad_signature"),
        (lambda mint: mint("mallory", aud="spc_other", email="ann@shop.example"), "wrong_audience"),
        (lambda mint: mint("mallory", exp=int(time.time()) - 1, email="ann@shop.example"), "expired"),
        (lambda mint: mint("mallory", exp=int(time.time()) + 10**7, email="ann@shop.example"), "lives_too_long"),
        (lambda mint: mint(None, email="ann@shop.example"), "no_subject"),
        (lambda mint: mint("ann", email="ann@shop.example"), "other_user"),
    ],
)
def test_attack_220_a_bad_token_proves_nothing(
    shop: Shop, minted: Minted, forge: Callable[[Minted], object], reason: str
) -> None:
    """The call counts as public and is stored; the reason is listed."""
    shop.send(ANN)
    send(shop, MALLORY, forge(minted))
    assert identifiers(shop, "user_id:mallory") == {"user_id:mallory"}
    assert identifiers(shop, "email:ann@shop.example") == {"email:ann@shop.example", "anonymous_id:phone-of-ann"}
    assert listed(shop) == [f"identity_token:{reason}"]


def test_attack_221_an_ended_key_signs_nothing_any_more(shop: Shop, minted: Minted) -> None:
    """At once; the second key of a rotation goes on, and a third is refused."""
    old = minted("ann", email="ann@shop.example")
    more = [shop.ask("POST", "/v1/identity-keys", json={"name": "b", "algorithm": "HS256"}) for _ in range(2)]
    assert [each.status_code for each in more] == [201, 409]
    assert more[1].json()["code"] == "too_many_identity_keys"
    first, second = shop.ask("GET", "/v1/identity-keys").json()["keys"]
    assert "secret" not in first
    assert shop.ask("DELETE", f"/v1/identity-keys/{first['key_id']}").status_code == 204
    assert shop.ask("DELETE", f"/v1/identity-keys/{first['key_id']}").status_code == 404

    shop.send(ANN)
    send(shop, {"type": "identify", "userId": "ann"}, old)
    assert identifiers(shop, "user_id:ann") == {"user_id:ann"}
    assert listed(shop) == ["identity_token:unknown_key"]
    claims = {"aud": shop.space_id, "sub": "ann", "email": "ann@shop.example", "exp": int(time.time()) + 60}
    new = jwt.encode(claims, more[0].json()["secret"], "HS256", headers={"kid": second["key_id"]})
    send(shop, {"type": "identify", "userId": "ann"}, new)
    assert "email:ann@shop.example" in identifiers(shop, "user_id:ann")


def test_attack_222_nothing_that_is_stored_holds_a_token(shop: Shop, minted: Minted) -> None:
    """Neither under its own name, nor misspelt, nor in another place; an access export shows the call without it."""
    token = minted("ann", email="ann@shop.example")
    send(shop, {"type": "identify", "userId": "ann"}, token)
    calls = [
        {"type": "identify", "userId": "ann", "identityToken": token},
        {"type": "identify", "userId": "ann", "context": {"identity_token": token, "ip": "::1"}},
    ]
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": calls}).status_code == 200
    shop.ask("POST", "/v1/batch", "write", json={"batch": [{"type": "page", "userId": "ann"}],
             "context": {"identityToken": token}})  # fmt: skip

    made = shop.ask("POST", "/v1/exports", "privacy", json={"identifiers": ["user_id:ann"]}).json()
    path = f"/v1/exports/{made['export_id']}"
    until(lambda: shop.ask("GET", path, "privacy").json()["state"] == "ready")
    found = shop.ask("GET", made["download_url"], "privacy").text
    assert "ann@shop.example" in found
    assert token not in found
    assert token.split(".")[1] not in found
    fields = {
        each["field"]
        for line in shop.ask("GET", "/v1/rejections").json()["rejections"]
        for each in line["ignored_fields"]
    }
    assert fields == {"identityToken", "context.identity_token"}


def test_attack_223_a_batch_of_tokens_costs_few_signatures(shop: Shop, minted: Minted) -> None:
    """Beyond twenty different tokens a request the calls count as public."""
    calls = [
        {"type": "page", "anonymousId": f"a{nr}", "context": {"identityToken": minted(f"u{nr}", email=f"u{nr}@x.org")}}
        for nr in range(25)
    ]
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": calls}).status_code == 200
    assert identifiers(shop, "anonymous_id:a19") == {"anonymous_id:a19", "user_id:u19", "email:u19@x.org"}
    assert identifiers(shop, "anonymous_id:a20") == {"anonymous_id:a20"}
    assert listed(shop) == ["identity_token:too_many"] * 5


def test_attack_224_a_token_changes_no_trait_that_it_does_not_name(shop: Shop, minted: Minted) -> None:
    """The address of the token is set as by a server, another number waits."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "old@shop.example", "phone": "+49 30 901821"}})
    traits = {"email": "ann@shop.example", "phone": "+49 30 901829"}
    send(shop, {"type": "identify", "userId": "ann", "traits": traits}, minted("ann", email="ann@shop.example"))
    profile = shop.ask("GET", "/v1/profiles/user_id:ann", "profiles").json()
    assert profile["traits"] == {"email": "ann@shop.example", "phone": "+49 30 901821"}
