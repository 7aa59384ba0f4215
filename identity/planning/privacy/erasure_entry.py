"""Builds the ledger entry of an erasure and the commitment to the erased person.

Neither identifies a person to a reader without the identifier: they hold ids of destroyed origins, keyed hashes, and
a hash under a salt that only the requester has. A restored backup repeats the erasure from the entry alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct

from identity.planning.privacy.merkle import merkle_root
from identity.planning.privacy.privacy_requests import DestroyedCounts
from identity.values.ids import BlindIndex, DestinationNumber, ProfileId
from identity.values.json import JsonObject
from identity.values.stamps import Stamp


class ErasedRefs(Struct):
    """References to what an erasure destroys: ids of origins and of subject keys, blind indexes, suppression hashes.

    The ledger entry calls `key_ids` "keys". `groups` are the ids of the groups that the erased calls name.
    """

    origins: Sequence[ProfileId] = ()
    key_ids: Sequence[bytes] = ()
    indexes: Sequence[BlindIndex] = ()
    hashes: Sequence[bytes] = ()
    groups: Sequence[bytes] = ()


def commitment(salt: bytes, identifier: str) -> bytes:
    """SHA-256 of a salt and an identifier written `type:value`, normalised."""
    return sha256(salt + identifier.encode()).digest()


def ledger_entry(
    refs: ErasedRefs,
    rows: dict[str, int],
    exports: int,
    informed: Sequence[DestinationNumber],
    *,
    stamp: Stamp,
    for_good: bool,
    epoch: int,
    lifted: Sequence[bytes] = (),
) -> JsonObject:
    """The ledger entry of an erasure, enough to repeat the erasure and its notices in an older database.

    `for_good`: the hashes stay suppressed. `informed` are the numbers of the destinations that received data of the
    person, `lifted` the hashes whose suppression ends with the erasure, since it lasted only while the erasure waited
    for a hold.
    """
    return {
        "stamp": stamp,
        "whole": for_good,
        "epoch": epoch,
        "rows": rows,
        "exports": exports,
        "told": list(informed),
        "profiles": _hex(refs.origins),
        "keys": _hex(refs.key_ids),
        "indexes": _hex(refs.indexes),
        "hashes": _hex(refs.hashes),
        "lifted": _hex(lifted),
        "groups": _hex(refs.groups),
    }


def destroyed_counts(refs: ErasedRefs, rows: dict[str, int], exports: int) -> DestroyedCounts:
    """What an erasure destroyed: keys with the Merkle root of their ids, rows by table, exports."""
    return DestroyedCounts(
        keys=len(refs.key_ids),
        key_ids_root=merkle_root(sorted(refs.key_ids)).hex(),
        rows=dict(sorted(rows.items())),
        exports=exports,
    )


def counts_in_entry(entry: Mapping[str, Any]) -> DestroyedCounts:
    """The counts in a ledger entry; the oldest entries have no rows."""
    refs = ErasedRefs(key_ids=[bytes.fromhex(key) for key in entry["keys"]])
    return destroyed_counts(refs, entry.get("rows", {}), entry.get("exports", 0))


def _hex(values: Iterable[bytes]) -> list[str]:
    return sorted(value.hex() for value in values)
