"""The keys of a space without a key store: every version of the index key follows from its number."""

from identity.vault.cache import KeyCache
from identity.vault.key_material import WrappingKey
from identity.vault.space_keys import SpaceKeys


def space_keys(space: bytes = b"s" * 16, document: bytes = b"d" * 32) -> SpaceKeys:
    """Keys that are the same at every call."""
    return SpaceKeys(
        space,
        index=lambda version: bytes([version]) * 32,
        suppression=b"p" * 32,
        document=document,
        cache=KeyCache(lambda _space, _epoch: WrappingKey(b"e" * 32)),
    )
