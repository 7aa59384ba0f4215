"""The ledger entry of an erasure: enough to repeat it, and nothing that names the person."""

import hashlib

from identity.planning.privacy.erasure_entry import (
    ErasedRefs,
    commitment,
    counts_in_entry,
    destroyed_counts,
    ledger_entry,
)
from identity.planning.privacy.merkle import merkle_root
from identity.values.ids import BlindIndex, DestinationNumber, ProfileId
from identity.values.stamps import Stamp

REFS = ErasedRefs(
    origins=[ProfileId(b"o" * 16)],
    key_ids=[b"z" * 16, b"a" * 16],
    indexes=[BlindIndex(b"k" * 32)],
    hashes=[b"h" * 32],
    groups=[b"g" * 16],
)


def test_an_entry_gives_the_counts_of_its_receipt() -> None:
    """A restored database makes the same receipt again from the entry."""
    entry = ledger_entry(
        REFS, {"event": 2}, 1, [DestinationNumber(3)], stamp=Stamp(7), for_good=True, epoch=4, lifted=[b"l" * 32]
    )

    assert counts_in_entry(entry) == destroyed_counts(REFS, {"event": 2}, 1)
    assert counts_in_entry(entry).key_ids_root == merkle_root([b"a" * 16, b"z" * 16]).hex()
    assert (entry["profiles"], entry["groups"]) == ([(b"o" * 16).hex()], [(b"g" * 16).hex()])
    assert entry["lifted"] == [(b"l" * 32).hex()]


def test_the_oldest_entries_count_keys_alone() -> None:
    """They have neither rows nor exports."""
    counts = counts_in_entry({"keys": [(b"a" * 16).hex()]})

    assert (counts.keys, counts.rows, counts.exports) == (1, {}, 0)


def test_a_commitment_needs_the_salt() -> None:
    """A reader without the salt cannot try identifiers."""
    assert commitment(b"salt", "user_id:u1") == hashlib.sha256(b"saltuser_id:u1").digest()
    assert commitment(b"salt", "user_id:u1") != commitment(b"tlas", "user_id:u1")
