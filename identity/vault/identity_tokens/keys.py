"""The keys that identity tokens are signed with, and their one sealed document in each space.

A secret is made here and shown once; of an asymmetric key only the public half is taken. Invariant: the algorithm
belongs to the key and is chosen when the key is registered, so no token chooses how it is checked.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from identity.values.identity_tokens.refusals import BadIdentityKey
from identity.values.stamps import Micros

Algorithm = Literal["HS256", "EdDSA", "RS256", "ES256"]
PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
ALGORITHMS: Final[tuple[str, ...]] = get_args(Algorithm)
SHARED: Final = "HS256"
"""The algorithm whose keys are secrets that Onefold and the server of the customer share."""
LONGEST_KEY: Final = 8_192
_RSA_BITS: Final = range(2_048, 4_097)
_LARGEST_EXPONENT: Final = 1 << 32
_PREFIX: Final = "ids_"


class IdentityKey(msgspec.Struct, frozen=True):
    """A key that is in force. `material` is the secret, or the public key as PEM."""

    id: str
    algorithm: Algorithm
    name: str
    material: bytes
    created_at: Micros

    def __repr__(self) -> str:
        """The id alone: the material may be a secret."""
        return f"IdentityKey({self.id})"


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[IdentityKey]).decode


def pack(keys: Sequence[IdentityKey]) -> bytes:
    """The document of the keys in force, to be sealed."""
    return _encode(keys)


def unpack(document: bytes) -> list[IdentityKey]:
    """The inverse of `pack`."""
    return _decode(document)


def new_secret() -> str:
    """A secret of 256 bits for HS256. The bytes of its text are the key, as libraries take them."""
    return _PREFIX + secrets.token_urlsafe(32)


def public_material(algorithm: str, given: object) -> bytes:
    """The public key in a PEM text or a JWK object, as PEM. BadIdentityKey, with what to send."""
    if isinstance(given, str):
        key = _of_pem(given)
    elif isinstance(given, Mapping):
        key = _of_jwk(algorithm, given)
    else:
        raise BadIdentityKey(f"An {algorithm} key needs public_key: a PEM text or a JWK object.")
    if isinstance(key, RSAPublicKey):
        fits = algorithm == "RS256" and key.key_size in _RSA_BITS and key.public_numbers().e < _LARGEST_EXPONENT
    elif isinstance(key, EllipticCurvePublicKey):
        fits = algorithm == "ES256" and isinstance(key.curve, SECP256R1)
    else:
        fits = algorithm == "EdDSA"
    if not fits:
        raise BadIdentityKey(
            "The public key does not fit the algorithm: RS256 takes RSA of 2048 to 4096 bits, ES256 the curve P-256, "
            "EdDSA the curve Ed25519."
        )
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def loaded(key: IdentityKey) -> PublicKey | bytes:
    """What checks the tokens of a key."""
    if key.algorithm == SHARED:
        return key.material
    return cast("PublicKey", load_pem_public_key(key.material))


def _of_pem(text: str) -> PublicKey:
    if "PRIVATE KEY" in text:
        raise BadIdentityKey("This is a private key. Keep it on your server, and send its public key.")
    try:
        key = load_pem_public_key(text.encode()) if len(text) <= LONGEST_KEY else None
    except Exception:  # noqa: BLE001 (the library raises errors of its own for foreign curves and bad text)
        key = None
    return _taken(key, "public_key is no public key in PEM: it begins with -----BEGIN PUBLIC KEY-----.")


def _of_jwk(algorithm: str, jwk: Mapping[str, Any]) -> PublicKey:
    # Imported with the first key: most processes never see one.
    from jwt import PyJWK

    if "d" in jwk or "k" in jwk:
        raise BadIdentityKey("This JWK holds a private key or a secret. Send the public members alone.")
    try:
        key = PyJWK(dict(jwk), algorithm).key if len(msgspec.json.encode(jwk)) <= LONGEST_KEY else None
    except Exception:  # noqa: BLE001 (the library raises errors of its own for foreign curves and bad members)
        key = None
    return _taken(key, f"public_key is no JWK of a public key for {algorithm}.")


def _taken(key: object, message: str) -> PublicKey:
    if isinstance(key, (RSAPublicKey, EllipticCurvePublicKey, Ed25519PublicKey)):
        return key
    raise BadIdentityKey(message)
