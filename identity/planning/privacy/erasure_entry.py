"""What an erasure says of itself: the entry of the ledger, and a commitment to whom it was about.

Pure. Neither says who it was to anybody who does not know already: ids of what is gone, keyed hashes,
and a hash under a salt that only the requester was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from identity.planning.privacy.merkle import merkle_root


class Gone(Struct):
    """What an erasure destroys: origins, the ids of their keys, identifiers (blind indexes), hashes."""

    profiles: Sequence[bytes] = ()
    keys: Sequence[bytes] = ()
    indexes: Sequence[bytes] = ()
    hashes: Sequence[bytes] = ()


def commitment(salt: bytes, identifier: str) -> bytes:
    """SHA-256 of a salt and an identifier written `type:value`, normalised."""
    return sha256(salt + identifier.encode()).digest()


def entry(
    gone: Gone, rows: dict[str, int], exports: int, told: Sequence[int], *, stamp: int, whole: bool, epoch: int
) -> dict[str, Any]:
    """What the ledger keeps of an erasure: enough to do it, and to tell of it, again in a database that is older.

    `told` are the numbers of the destinations that knew of who was erased.
    """
    return {
        "stamp": stamp,
        "whole": whole,
        "epoch": epoch,
        "rows": rows,
        "exports": exports,
        "told": list(told),
        "profiles": _hex(gone.profiles),
        "keys": _hex(gone.keys),
        "indexes": _hex(gone.indexes),
        "hashes": _hex(gone.hashes),
    }


def counts(gone: Gone, rows: dict[str, int], exports: int) -> dict[str, Any]:
    """What was destroyed, for the receipt: how many keys and which (a Merkle root), rows by table."""
    return {
        "keys": len(gone.keys),
        "key_ids_root": merkle_root(sorted(gone.keys)).hex(),
        "rows": dict(sorted(rows.items())),
        "exports": exports,
    }


def counted(said: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of an erasure by its entry; those from before rows were counted there have none."""
    gone = Gone(keys=[bytes.fromhex(key) for key in said["keys"]])
    return counts(gone, said.get("rows", {}), said.get("exports", 0))


def _hex(values: Iterable[bytes]) -> list[str]:
    return sorted(value.hex() for value in values)
