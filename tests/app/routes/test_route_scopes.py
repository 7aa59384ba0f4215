"""Every route declares who may call it, holds to it, and reveals nothing about another space."""

from typing import Any

import httpx
import pytest

from app.http import ingest_endpoint
from app.http.auth import Operator, Scopes
from identity.operations.spaces.manage_spaces import FIRST_KEYS
from tests.app.conftest import Shop
from tests.support.http.route_scopes import (
    CONTRACT,
    DECLARED,
    KEYED,
    body_of,
    fill,
)

HARMLESS = [each for each in KEYED if each[0] in ("GET", "DELETE") or each[1] in ingest_endpoint.ROUTES]
LASTING = [each for each in KEYED if each not in HARMLESS]
OPERATED = [place for place, found in DECLARED.items() if isinstance(found, Operator)]


@pytest.mark.parametrize("place", sorted(DECLARED), ids=" ".join)
def test_declares(place: tuple[str, str]) -> None:
    """A route lets in whom the contract names, and no route is without a guard."""
    found = DECLARED[place]
    declared = set(found.scopes) if isinstance(found, Scopes) else type(found)

    assert declared == CONTRACT[place]


def test_nothing_is_missing() -> None:
    """Every route of the contract so far is there."""
    assert set(CONTRACT) == set(DECLARED)


@pytest.mark.parametrize(("method", "path", "scopes"), LASTING, ids=str)
def test_scope_by_scope(shop: Shop, method: str, path: str, scopes: tuple[str, ...]) -> None:
    """A key with one of the scopes gets in, one with any other is forbidden to."""
    try_each_key(shop, method, path, scopes)


@pytest.mark.parametrize(("method", "path", "scopes"), HARMLESS, ids=str)
def test_scope_by_scope_without_a_change(common_shop: Shop, method: str, path: str, scopes: tuple[str, ...]) -> None:
    """The same holds for a route that reads, that finds nothing to delete, or that takes a call."""
    try_each_key(common_shop, method, path, scopes)


def try_each_key(shop: Shop, method: str, path: str, scopes: tuple[str, ...]) -> None:
    """Ask with each key of a space."""
    shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": "Ads", "class": "ads"}]})
    # A route that reads no body refuses one.
    given = {} if method in ("GET", "DELETE") else {"json": body_of(path)}
    for name, (scope,) in FIRST_KEYS.items():
        answer = shop.ask(method, fill(path), name, **given)

        assert (answer.status_code == 403) == (scope not in scopes), (name, answer.text)
        assert answer.status_code not in (401, 405, 500)
        assert answer.status_code != 422 or "opendsr" in path


@pytest.mark.parametrize(("method", "path"), OPERATED, ids=str)
def test_operator_only(common_shop: Shop, operator: dict[str, str], method: str, path: str) -> None:
    """The operator's routes take the operator token, and no key of a space."""
    for name in FIRST_KEYS:
        assert common_shop.ask(method, fill(path), name, json=body_of(path)).status_code == 401

    answer = common_shop.client.request(method, fill(path), headers=operator, json=body_of(path))
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
