"""The root of a Merkle tree over some values, as RFC 6962 2.1 makes it.

A leaf and a node are hashed with different first bytes, so that no list can pass for another one.
"""

from collections.abc import Sequence
from hashlib import sha256


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The 32 bytes that stand for these values in this order; of none the hash of nothing."""
    if not leaves:
        return sha256(b"").digest()
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        # Pairing from the left is the split at the largest power of two; who is alone goes up.
        pairs = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]
