"""The signing key of a deployment: its signatures can be verified offline, by every reader, for ever.

Invariants: the key is made once, exclusively, and lies in the key store under the root; its `kid`
follows from its public half, and every public half that was ever used stays published.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from identity.vault.secret import Guarded, Secret

ALGORITHM = "Ed25519"
_KID = 12


class PublicKey(Struct, frozen=True):
    """A key that verifies receipts."""

    kid: str
    alg: str
    public_key: str


class Signer(Guarded):
    """Signs with the newest of some keys (32 bytes each, the oldest first). Safe to share between threads."""

    __slots__ = ("_key", "_public", "kid")

    def __init__(self, keys: Sequence[Secret]) -> None:
        made = [Ed25519PrivateKey.from_private_bytes(key.reveal()) for key in keys]
        self._key = made[-1]
        self._public = {kid_of(raw): raw for raw in (key.public_key().public_bytes_raw() for key in made)}
        self.kid = list(self._public)[-1]

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._key.sign(message)

    def verified(self, kid: str, message: bytes, signature: bytes) -> bool:
        """Whether one of these keys signed a message."""
        public = self._public.get(kid)
        if public is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def published(self) -> list[PublicKey]:
        """Return every public key, former ones included, the oldest first."""
        return [PublicKey(kid, ALGORITHM, text(raw)) for kid, raw in self._public.items()]


def kid_of(public: bytes) -> str:
    """Return the name of a public key."""
    return text(sha256(public).digest()[:_KID])


def text(raw: bytes) -> str:
    """Return bytes in base64url without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")
