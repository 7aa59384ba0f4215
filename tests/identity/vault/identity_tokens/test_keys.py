"""Only a key that fits its algorithm is taken, and never a private one."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from identity.values.identity_tokens.refusals import BadIdentityKey
from identity.vault.identity_tokens.keys import new_secret, pack, public_material, unpack
from tests.support.keys.identity_tokens import PRIVATE, key_of, pem_of

JWKS: dict[str, Any] = {
    name: json.loads(jwt.get_algorithm_by_name(name).to_jwk(private.public_key())) for name, private in PRIVATE.items()
}
SECRET_PEM = PRIVATE["RS256"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SECRET_JWK = json.loads(jwt.get_algorithm_by_name("EdDSA").to_jwk(PRIVATE["EdDSA"]))


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_a_public_key_is_taken_as_pem_and_as_jwk(algorithm: str) -> None:
    """Both give the same."""
    pem = pem_of(PRIVATE[algorithm])
    assert public_material(algorithm, pem) == public_material(algorithm, JWKS[algorithm]) == pem.encode()


@pytest.mark.parametrize(
    ("algorithm", "given", "message"),
    [
        ("RS256", None, "needs public_key"),
        ("RS256", "", "no public key in PEM"),
        ("RS256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "no public key in PEM"),
        ("RS256", "x" * 10_000, "no public key in PEM"),
        ("RS256", SECRET_PEM, "private key"),
        ("RS256", pem_of(PRIVATE["ES256"]), "does not fit"),
        ("ES256", pem_of(PRIVATE["EdDSA"]), "does not fit"),
        ("EdDSA", pem_of(PRIVATE["RS256"]), "does not fit"),
        ("RS256", pem_of(generate_rsa(65_537, 1_024)), "does not fit"),
        ("ES256", pem_of(generate_private_key(SECP384R1())), "does not fit"),
        ("EdDSA", SECRET_JWK, "private key or a secret"),
        ("RS256", {"kty": "oct", "k": "AAAA"}, "private key or a secret"),
        ("RS256", {}, "no JWK"),
        ("RS256", {"kty": "RSA", "n": [], "e": {}}, "no JWK"),
        ("ES256", JWKS["RS256"], "no JWK|does not fit"),
        ("RS256", {**JWKS["RS256"], "x5c": ["A" * 10_000]}, "no JWK"),
    ],
)
def test_any_other_key_is_refused(algorithm: str, given: object, message: str) -> None:
    """With what to send."""
    with pytest.raises(BadIdentityKey, match=message):
        public_material(algorithm, given)


def test_the_document_keeps_the_keys_and_no_text_shows_a_secret() -> None:
    """A secret is text of 256 bits, each another."""
    keys = [key_of("HS256"), key_of("RS256")]
    assert unpack(pack(keys)) == keys
    assert key_of("HS256").material.decode() not in repr(keys)
    assert len({new_secret() for _ in range(3)}) == 3
    assert all(len(new_secret()) == 47 for _ in range(3))
