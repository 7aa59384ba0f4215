"""Every route declares who may call it, holds to it, and reveals nothing about another space."""

import re
from typing import Any

import httpx
import pytest

from app.http import ingest_endpoint
from app.http.auth import Operator, Public, Scopes
from app.http.openapi import guard, native
from app.main import create_app
from app.routes import opendsr
from app.settings import Settings
from identity.operations.spaces.manage_spaces import FIRST_KEYS
from tests.app.conftest import Shop
from tests.conftest import Running

PROFILE_API = "/v1/spaces/{space_id}/collections/{collection}/profiles"
# Scopes with which the routes of the contract may be called; a route that is missing here fails.
CONTRACT: dict[tuple[str, str], object] = {
    ("POST", "/v1/spaces"): Operator,
    ("GET", "/v1/spaces"): Operator,
    ("DELETE", "/v1/spaces/{space_id}"): Operator,
    ("GET", "/metrics"): Operator,
    ("GET", "/healthz"): Public,
    ("GET", "/readyz"): Public,
    ("GET", "/openapi.json"): Public,
    ("GET", "/docs"): Public,
    ("GET", "/docs/{name}"): Public,
    ("GET", "/.well-known/onefold-keys.json"): Public,
    ("GET", "/v1/projects/{write_key}/settings"): Public,
    ("POST", "/v1/m"): Public,
    ("POST", "/v1/callbacks/{destination_id}"): Public,
    ("POST", "/v1/keys"): {"admin"},
    ("GET", "/v1/keys"): {"admin"},
    ("DELETE", "/v1/keys/{key_id}"): {"admin"},
    ("GET", "/v1/rules"): {"admin"},
    ("PUT", "/v1/rules"): {"admin"},
    ("POST", "/v1/rules/rebuild"): {"admin"},
    ("POST", "/v1/rules/simulate"): {"admin"},
    ("GET", "/v1/jobs/{job_id}"): {"admin", "privacy"},
    ("GET", "/v1/profiles"): {"admin", "privacy"},
    ("POST", "/v1/profiles/lookup"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}/history"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}/explain"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}/graph"): {"profiles:read", "admin", "privacy"},
    ("POST", "/v1/identities/simulate"): {"import", "admin"},
    ("POST", "/v1/profiles/unmerge"): {"privacy", "admin"},
    ("DELETE", "/v1/identifiers/{ref}"): {"privacy", "admin"},
    ("GET", "/v1/rejections"): {"admin"},
    **{
        at: {"privacy"}
        for at in (
            ("POST", "/v1/erasures"),
            ("GET", "/v1/erasures"),
            ("GET", "/v1/erasures/{erasure_id}"),
            ("GET", "/v1/erasures/{erasure_id}/receipt"),
            ("POST", "/v1/erasures/{erasure_id}/extend"),
            ("POST", "/v1/regulations"),
            ("GET", "/v1/regulations"),
            ("GET", "/v1/regulations/{regulate_id}"),
            ("DELETE", "/v1/regulations/{regulate_id}"),
            ("GET", "/v1/suppressions"),
            ("POST", "/v1/suppressions"),
            ("DELETE", "/v1/suppressions"),
            ("POST", "/v1/suppressions/lift"),
            ("GET", "/v1/holds"),
            ("POST", "/v1/holds"),
            ("DELETE", "/v1/holds/{hold_id}"),
            ("POST", "/v1/consent"),
            ("GET", "/v1/consent/{ref}"),
            ("POST", "/v1/exports"),
            ("GET", "/v1/exports/{export_id}"),
            ("GET", "/v1/exports/{export_id}/download"),
        )
    },
    ("GET", "/v1/holds/{hold_id}/profiles"): {"legal:read"},
    **{
        place: {"admin"}
        for place in (
            ("GET", "/v1/purposes"),
            ("PUT", "/v1/purposes"),
            ("GET", "/v1/destinations"),
            ("GET", "/v1/destinations/{name}"),
            ("PUT", "/v1/destinations/{name}"),
            ("POST", "/v1/destinations/{name}/rotate"),
            ("POST", "/v1/destinations/{name}/resume"),
            ("DELETE", "/v1/destinations/{name}"),
            ("GET", "/v1/destinations/{name}/explain"),
            ("POST", "/v1/destinations/{name}/export"),
        )
    },
    **{
        place: {"destination:<id>"}
        for place in (
            ("POST", "/v1/destination/profiles/lookup"),
            ("GET", "/v1/destination/profiles/{ref}"),
            ("GET", "/v1/changes"),
            ("POST", "/v1/changes/ack"),
        )
    },
    ("GET", "/opendsr/v1/discovery"): {"privacy"},
    ("GET", "/opendsr/v1/status"): {"privacy"},
    **{("POST", f"/opendsr/v1/{name}"): {"privacy"} for name in opendsr.NAMES},
    **{
        (method, f"/opendsr/v1/{name}/{{subject_request_id}}"): {"privacy"}
        for method in ("GET", "DELETE")
        for name in opendsr.NAMES
    },
    ("GET", "/v1/groups/{group_id}"): {"profiles:read", "admin"},
    ("DELETE", "/v1/groups/{group_id}/members/{ref}"): {"privacy", "admin"},
    ("GET", PROFILE_API): {"admin", "privacy"},
    **{
        ("GET", f"{PROFILE_API}/{{ref}}/{what}"): {"profiles:read", "admin", "privacy"}
        for what in ("traits", "external_ids", "events", "metadata", "links")
    },
    **{("POST", path): {"write", "import", "admin"} for path in ingest_endpoint.ROUTES},
}
NATIVE = {
    (method, route.path): guard(route) for route in native(create_app(Settings()).api) for method in route.methods or ()
}
DECLARED = {
    **NATIVE,
    **{("POST", path): Scopes(*ingest_endpoint.SCOPES) for path in ingest_endpoint.ROUTES},
}
KEYED = [
    (method, path, tuple(sorted(found.scopes)))
    for (method, path), found in DECLARED.items()
    if isinstance(found, Scopes)
]
OPERATED = [place for place, found in DECLARED.items() if isinstance(found, Operator)]
BODIES: dict[str, Any] = {
    "/v1/keys": {"name": "k", "scopes": ["write"]},
    "/v1/rules": {},
    "/v1/rules/simulate": {},
    "/v1/profiles/lookup": {"identifiers": ["user_id:u1"]},
    "/v1/identities/simulate": {"type": "track", "userId": "u1"},
    "/v1/profiles/unmerge": {"identifiers": ["nobody"]},
    "/v1/spaces": {"name": "s"},
    "/v1/erasures": {"identifiers": ["user_id:nobody"]},
    "/v1/erasures/{erasure_id}/extend": {"reason": "many requests"},
    "/v1/regulations": {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["nobody"]},
    **{f"/opendsr/v1/{name}": [] for name in opendsr.NAMES},
    "/v1/suppressions": {"identifiers": ["user_id:nobody"]},
    "/v1/suppressions/lift": {"identifiers": ["user_id:nobody"]},
    "/v1/exports": {"identifiers": ["user_id:nobody"]},
    "/v1/consent": {"identifier": "user_id:nobody", "decisions": {"Ads": True}},
    "/v1/purposes": {},
    "/v1/destinations/{name}": {},
    "/v1/destination/profiles/lookup": {"identifiers": ["user_id:nobody"]},
    "/v1/changes/ack": {"cursor": "nowhere"},
    "/v1/holds": {"identifiers": ["user_id:nobody"], "reason": "case 12"},
}
UNKNOWN = {
    "ref": "user_id:nobody",
    "key_id": "key_nobody",
    "job_id": "job_nobody",
    "erasure_id": "ers_nobody",
    "hold_id": "hld_nobody",
    "export_id": "exp_nobody",
    "regulate_id": "req_nobody",
    "subject_request_id": "nobody",
    "group_id": "nobody",
    "name": "nobody",
    "space_id": "spc_" + "0" * 32,
    "collection": "users",
}


def body_of(path: str) -> Any:
    """A body that the route would take."""
    if path in ingest_endpoint.ROUTES:
        kind = ingest_endpoint.ROUTES[path].kind
        call = {"userId": "u1", "groupId": "g1", "previousId": "u0"}
        return call if kind else {"batch": [{**call, "type": "track"}]}
    return BODIES.get(path)


def fill(path: str, **parts: str) -> str:
    """A template with its parts filled in."""
    query = "?from=user_id:u1&to=user_id:u2&identifier=user_id:u1&trait=plan" if path.endswith("/explain") else ""
    return path.format(**{**UNKNOWN, **parts}) + query


@pytest.mark.parametrize("place", sorted(DECLARED), ids=" ".join)
def test_declares(place: tuple[str, str]) -> None:
    """A route lets in whom the contract names, and no route is without a guard."""
    found = DECLARED[place]
    declared = set(found.scopes) if isinstance(found, Scopes) else type(found)

    assert declared == CONTRACT[place]


def test_nothing_is_missing() -> None:
    """Every route of the contract so far is there."""
    assert set(CONTRACT) == set(DECLARED)


@pytest.mark.parametrize(("method", "path", "scopes"), KEYED, ids=str)
def test_scope_by_scope(shop: Shop, method: str, path: str, scopes: tuple[str, ...]) -> None:
    """A key with one of the scopes gets in, one with any other is forbidden to."""
    for name, (scope,) in FIRST_KEYS.items():
        answer = shop.ask(method, fill(path), name, json=body_of(path))

        assert (answer.status_code == 403) == (scope not in scopes), (name, answer.text)
        assert answer.status_code not in (401, 405, 500)
        assert answer.status_code != 422 or "opendsr" in path


@pytest.mark.parametrize(("method", "path"), OPERATED, ids=str)
def test_operator_only(shop: Shop, operator: dict[str, str], method: str, path: str) -> None:
    """The operator's routes take the operator token, and no key of a space."""
    for name in FIRST_KEYS:
        assert shop.ask(method, fill(path), name, json=body_of(path)).status_code == 401

    answer = shop.client.request(method, fill(path), headers=operator, json=body_of(path))
    assert answer.status_code not in (401, 403)


@pytest.mark.parametrize(("method", "path", "scopes"), KEYED, ids=str)
def test_operator_is_nobody_in_a_space(
    client: httpx.Client, operator: dict[str, str], method: str, path: str, scopes: tuple[str, ...]
) -> None:
    """The operator token opens no space, and neither does no key, an odd one or one that is wrong by a digit."""
    assert scopes
    wrong: list[Any] = [
        operator,
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic %%%"},
        {"Authorization": b"Bearer of_\xe9_1_2"},
    ]
    for headers in wrong:
        answer = client.request(method, fill(path), headers=headers, json=body_of(path))

        assert answer.status_code == 401, answer.text


def test_wrong_by_a_digit(shop: Shop) -> None:
    """A key that is wrong by one digit is unknown."""
    key = shop.keys["admin"]
    digit = len(key) // 2
    shop.keys["wrong"] = key[:digit] + ("0" if key[digit] != "0" else "1") + key[digit + 1 :]

    assert shop.ask("GET", "/v1/rules", "wrong").status_code == 401


@pytest.mark.parametrize(("method", "path", "scopes"), [keyed for keyed in KEYED if "{" in keyed[1]], ids=str)
def test_foreign_is_unknown(shop: Shop, other_shop: Shop, method: str, path: str, scopes: tuple[str, ...]) -> None:
    """What belongs to another space answers, to every key, exactly as what does not exist."""
    call = {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"plan": "x"}}
    profile_id = other_shop.send(call)[0]["profile_id"]
    key_id = other_shop.ask("GET", "/v1/keys").json()["keys"][0]["key_id"]
    assert scopes
    foreign = [
        # An identifier is never written as the id of a profile.
        *([] if "/identifiers/" in path else [{"ref": profile_id}]),
        {"ref": "user_id:u1"},
        {"key_id": key_id},
        {"group_id": "g1"},
        {"space_id": other_shop.space_id, "ref": "user_id:u1"},
    ]
    for parts in foreign:
        if not any(f"{{{name}}}" in path for name in parts):
            continue
        for name in FIRST_KEYS:
            mine = shop.ask(method, fill(path, **parts), name)
            nobody = shop.ask(method, fill(path), name)

            assert (mine.status_code, mine.content) == (nobody.status_code, nobody.content)
    assert len(other_shop.ask("GET", "/v1/keys").json()["keys"]) == len(FIRST_KEYS)


def test_foreign_in_lists(shop: Shop, other_shop: Shop) -> None:
    """Lists and look-ups hold nothing of another space, and its cursors mean nothing here."""
    other_shop.send(*({"type": "track", "userId": f"u{number}"} for number in range(3)))
    cursor = other_shop.ask("GET", "/v1/profiles?limit=1").json()["next_cursor"]

    assert shop.ask("GET", "/v1/profiles").json() == {"profiles": [], "next_cursor": None}
    found = shop.ask("POST", "/v1/profiles/lookup", json={"identifiers": ["user_id:u1"]})
    assert found.json() == {"profiles": {"user_id:u1": None}}
    assert shop.ask("GET", "/v1/profiles", params={"cursor": cursor}).json()["code"] == "bad_cursor"


def test_deleted_space(shop: Shop, operator: dict[str, str]) -> None:
    """With a space its keys end, on every route."""
    gone = shop.client.delete(f"/v1/spaces/{shop.space_id}", params={"confirm": shop.name}, headers=operator)

    assert gone.status_code == 204
    for method, path, _ in KEYED:
        assert shop.ask(method, fill(path), json=body_of(path)).status_code == 401
    listed = shop.client.get("/v1/spaces", headers=operator).json()["spaces"]
    assert shop.space_id not in {space["space_id"] for space in listed}


def test_delete_asks_for_the_name(shop: Shop, operator: dict[str, str]) -> None:
    """A space is only deleted by its exact name."""
    for confirm in ({}, {"confirm": ""}, {"confirm": shop.name + "x"}):
        answer = shop.client.delete(f"/v1/spaces/{shop.space_id}", params=confirm, headers=operator)

        assert (answer.status_code, answer.json()["code"]) == (400, "not_confirmed")
    assert shop.ask("GET", "/v1/rules").status_code == 200


def test_new_key(shop: Shop) -> None:
    """A key that was made opens what its scopes say, until it is revoked."""
    made = shop.ask("POST", "/v1/keys", json={"name": "reader", "scopes": ["profiles:read"]}).json()
    shop.keys["reader"] = made["secret"]

    assert shop.ask("GET", "/v1/profiles/user_id:u1", "reader").status_code == 404
    assert shop.ask("GET", "/v1/rules", "reader").status_code == 403
    assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").status_code == 204
    assert shop.ask("GET", "/v1/profiles/user_id:u1", "reader").status_code == 401
    assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").json()["code"] == "key_not_found"


def test_secret_is_shown_once(shop: Shop) -> None:
    """The list of keys holds no secret."""
    listed = shop.ask("GET", "/v1/keys").text

    assert not re.search(r"of_[a-z0-9]+_", listed)
    assert all(secret not in listed for secret in shop.keys.values())


def test_no_space_is_the_same(shop: Shop, other_shop: Shop, live: Running) -> None:
    """Two spaces know the same identifier as two people."""
    assert live.url
    mine, theirs = (each.send({"type": "track", "userId": "u1"})[0]["profile_id"] for each in (shop, other_shop))

    assert mine != theirs
    assert shop.ask("GET", "/v1/profiles/user_id:u1").json()["profile_id"] == mine
