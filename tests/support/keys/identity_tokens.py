"""Keys and tokens as a server of a customer has them, and tokens as attackers make them."""

from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from identity.values.stamps import Micros
from identity.vault.identity_tokens.keys import IdentityKey, public_material

SPACE: Final = "spc_00"
NOW: Final = 1_800_000_000
SECRET: Final = "ids_" + "s" * 43
PRIVATE: Final[dict[str, Any]] = {
    "RS256": generate_rsa(65_537, 2_048),
    "ES256": generate_private_key(SECP256R1()),
    "EdDSA": Ed25519PrivateKey.generate(),
}


def pem_of(private: Any) -> str:
    """The public half of a key, as PEM."""
    return str(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def key_of(algorithm: str) -> IdentityKey:
    """A key in force, named after its algorithm."""
    material = SECRET.encode() if algorithm == "HS256" else public_material(algorithm, pem_of(PRIVATE[algorithm]))
    return IdentityKey(
        id=algorithm,
        algorithm=algorithm,  # type: ignore[arg-type]
        name=algorithm,
        material=material,
        created_at=Micros(0),
    )


def claims(**more: Any) -> dict[str, Any]:
    """The claims of a token that lives for an hour; None leaves a claim out."""
    given = {"aud": SPACE, "sub": "ann", "email": "ann@shop.example", "iat": NOW, "exp": NOW + 3_600, **more}
    return {name: value for name, value in given.items() if value is not None}


def signed(payload: dict[str, Any], algorithm: str = "HS256", *, kid: str | None = "", key: Any = None) -> str:
    """A token of a server; its `kid` is the algorithm unless given, and absent for None."""
    own = PRIVATE.get(algorithm, SECRET) if key is None else key
    headers = {} if kid is None else {"kid": kid or algorithm}
    return jwt.encode(payload, own, algorithm, headers=headers)
