"""Anybody can read the keys that check signatures, and no private half is among them."""

import base64

import httpx


def test_the_public_keys_need_no_key_and_hold_no_secret(client: httpx.Client) -> None:
    """Each key has an id, an algorithm and 32 bytes, and nothing else."""
    answer = client.get("/.well-known/onefold-keys.json")
    keys = answer.json()["keys"]

    assert answer.status_code == 200
    assert keys
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key.keys() == {"kid", "alg", "public_key"}
        assert len(base64.urlsafe_b64decode(key["public_key"] + "==")) == 32
