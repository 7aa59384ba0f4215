"""Vouches for the row of an API key, under a key that the database does not hold.

Invariant: a row authenticates only with the number, id, name, scopes and secret that Onefold stored together in this
space. A writer of the database who cannot read the key store can neither add a key, nor widen its scopes, nor
move it to another space. A revoked row has no MAC, so clearing its time of revocation revives no key.
"""

from hmac import compare_digest
from typing import Final

from identity.values.api_key_secrets import ApiKeyContent
from identity.vault.space_keys import SpaceKeys

_DOMAIN: Final = b"api_key|1"


def api_key_mac(keys: SpaceKeys, content: ApiKeyContent) -> bytes:
    """The MAC of a key that is in force; 32 bytes."""
    fixed = (
        content.number.to_bytes(8, "big"),
        content.public_id.encode(),
        content.name.encode(),
        bytes(content.secret_hash),
    )
    return keys.vouch(_DOMAIN, [*fixed, *(scope.encode() for scope in content.scopes)])


def is_vouched(keys: SpaceKeys, content: ApiKeyContent, mac: bytes | None) -> bool:
    """Whether Onefold stored this row as it is, and it was not revoked since."""
    return mac is not None and compare_digest(api_key_mac(keys, content), mac)
