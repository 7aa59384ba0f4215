"""Calculates the root of a Merkle tree over a list of values, as RFC 6962 section 2.1 defines.

Two lists with the same root are the same list: hashes of leaves and of nodes start with different bytes.
"""

from collections.abc import Sequence
from hashlib import sha256


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The 32-byte root over these values in this order; for no values the hash of empty bytes."""
    if not leaves:
        return sha256(b"").digest()
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        # Pairing from the left equals the split at the largest power of two; an unpaired hash moves up a level.
        pairs = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]
