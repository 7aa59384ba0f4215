"""Attacks 150 to 153: API keys that a database writer adds, widens, moves or revives, without the key store."""

from typing import Any

import psycopg
import pytest

from identity.values.api_key_secrets import hash_of, new_secret
from identity.values.ids import private
from tests.app.conftest import Shop

Rows = psycopg.Connection[Any]
FORGED = "SELECT space_id, %s, name, %s::text[], %s, {mac} FROM api_key WHERE public_id = %s"


def key_id(secret: str) -> str:
    """The public id of a key."""
    return f"key_{secret.split('_')[1]}"


def refused(shop: Shop, secret: str) -> None:
    """The key is refused with the answer that an unknown key has."""
    shop.keys |= {"forged": secret, "nobody": new_secret()[1]}
    forged, nobody = (shop.ask("GET", "/v1/profiles/user_id:u1", name) for name in ("forged", "nobody"))
    assert (forged.status_code, forged.content) == (401, nobody.content)


@pytest.mark.parametrize("mac", ["NULL", "mac", "'\\x00'::bytea", "sha256(secret_hash)"])
def test_attack_150_a_key_that_somebody_inserts(shop: Shop, rows: Rows, mac: str) -> None:
    """A row with a known secret, with no MAC or that of another key, authenticates nobody."""
    id_, secret = new_secret()
    statement = "INSERT INTO api_key (space_id, public_id, name, scopes, secret_hash, mac) " + FORGED.format(mac=mac)
    given = [id_, ["admin", "profiles:read"], hash_of(secret), key_id(shop.keys["admin"])]
    assert rows.execute(statement.encode(), given).rowcount == 1
    refused(shop, secret)
    assert shop.ask("GET", "/v1/profiles/user_id:u1", "profiles").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        "scopes = '{admin,privacy,profiles:read}'",
        "scopes = '{profiles:read}'",
        "scopes = array_append(scopes, 'admin')",
        "id = nextval('api_key_id_seq')",
        "name = 'other'",
        "mac = NULL",
        "mac = (SELECT o.mac FROM api_key o WHERE o.space_id = k.space_id AND 'admin' = ANY (o.scopes))",
    ],
)
def test_attack_151_a_key_that_somebody_alters(shop: Shop, rows: Rows, change: str) -> None:
    """A public key that is made an admin key, or has another number or name, authenticates nobody any more."""
    altered = rows.execute(f"UPDATE api_key k SET {change} WHERE public_id = %s".encode(), [key_id(shop.keys["write"])])
    assert altered.rowcount == 1
    refused(shop, shop.keys["write"])


def test_attack_151_a_key_that_somebody_moves(shop: Shop, other_shop: Shop, rows: Rows) -> None:
    """A key of one space opens no other space, nor does its secret under the id of another key."""
    other = private("spc", other_shop.space_id)
    assert other is not None
    move = "UPDATE api_key SET space_id = (SELECT id FROM space WHERE public_id = %s) WHERE public_id = %s"
    assert rows.execute(move, [other.hex(), key_id(shop.keys["profiles"])]).rowcount == 1
    refused(other_shop, shop.keys["profiles"])

    id_, secret = new_secret()
    swap = "UPDATE api_key SET public_id = %s, secret_hash = %s WHERE public_id = %s"
    assert rows.execute(swap, [id_, hash_of(secret), key_id(shop.keys["admin"])]).rowcount == 1
    refused(shop, secret)


def test_attack_152_a_revoked_key_that_somebody_revives(shop: Shop, rows: Rows) -> None:
    """Clearing the time of the revocation revives nothing."""
    made = shop.ask("POST", "/v1/keys", json={"name": "k", "scopes": ["profiles:read"]}).json()
    assert shop.ask("DELETE", f"/v1/keys/{made['key_id']}").status_code == 204
    assert rows.execute("UPDATE api_key SET revoked_at = NULL WHERE public_id = %s", [made["key_id"]]).rowcount == 1
    refused(shop, made["secret"])
