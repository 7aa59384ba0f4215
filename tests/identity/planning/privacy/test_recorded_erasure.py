"""A receipt states what the entries of the journal say, whatever the database says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from identity.planning.privacy.erasure_entry import ErasedRefs, destroyed_counts, ledger_entry
from identity.planning.privacy.privacy_requests import DestroyedCounts, ErasureResult
from identity.planning.privacy.receipt import unsigned_receipt
from identity.planning.privacy.recorded_erasure import recorded_erasure
from identity.values.enums import ErasureState, Law, RequestKind
from identity.values.errors import LedgerBroken
from identity.values.ids import ErasureId, ProfileId, RequestId
from identity.values.stamps import Micros, Stamp

HASH, COMMITMENT, ID = b"h" * 32, b"c" * 32, ErasureId(b"e" * 16)
REFS = ErasedRefs(origins=[ProfileId(b"p" * 16)], key_ids=[b"k" * 16], hashes=[HASH])
ROWS = {"profile": 1, "event": 3}
OUTCOME: dict[str, Any] = {
    "at": 500, **ledger_entry(REFS, ROWS, 1, [], stamp=Stamp(9), for_good=True, epoch=2),
}  # fmt: skip
REQUEST: dict[str, Any] = {
    "regulation": Law.GDPR, "kind": RequestKind.DELETE_ONLY, "received_at": 100,
    "erasures": [[ID.hex(), 1, "00", HASH.hex(), COMMITMENT.hex(), 1]],
}  # fmt: skip
RESULT = ErasureResult(
    id=ID, request_id=RequestId(b"r" * 16), nr=1, kind=RequestKind.DELETE_ONLY, regulation=Law.GDPR,
    state=ErasureState.FINISHED, type="user_id", commitment=COMMITMENT, received_at=Micros(100), due_at=None,
    extended_at=None, internal_at=Micros(500), closed_at=Micros(500), epoch=2, backup_safe_at=Micros(900),
    duplicate_of=None, ledger_seq=7, counts=destroyed_counts(REFS, ROWS, 1), found=True,
)  # fmt: skip
EDITS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(sorted(RequestKind)),
        "regulation": st.sampled_from(Law),
        "commitment": st.binary(min_size=32, max_size=32),
        "received_at": st.integers(0, 999),
        "internal_at": st.integers(0, 999) | st.none(),
        "epoch": st.integers(1, 9) | st.none(),
        "backup_safe_at": st.integers(0, 999) | st.none(),
        "counts": st.builds(DestroyedCounts, keys=st.integers(0, 9), rows=st.just({"profile": 9})) | st.none(),
        "found": st.booleans() | st.none(),
    },
)


def document(result: ErasureResult) -> Any:
    """What a receipt would state."""
    return unsigned_receipt(result, "spc_1", "k1", "onefold 1", b"", Micros(999))


@given(EDITS)
def test_no_edit_of_the_row_changes_the_receipt(edits: dict[str, Any]) -> None:
    """Every field that a writer of the database may edit comes from the entries."""
    edited = structs.replace(RESULT, **edits)
    assert document(recorded_erasure(edited, REQUEST, OUTCOME, Micros(900))) == document(RESULT)


@pytest.mark.parametrize(
    ("request_", "outcome"),
    [
        (REQUEST, None),
        (REQUEST | {"erasures": []}, OUTCOME),
        (REQUEST | {"erasures": [["00", 1, "00", HASH.hex(), COMMITMENT.hex(), 1]]}, OUTCOME),
        (REQUEST, OUTCOME | {"hashes": []}),
    ],
)
def test_an_erasure_without_its_entries_has_no_receipt(request_: dict[str, Any], outcome: Any) -> None:
    """No entry erased it, its request does not name it, or the entry is about somebody else."""
    with pytest.raises(LedgerBroken):
        recorded_erasure(RESULT, request_, outcome, None)


def test_a_duplicate_keeps_the_times_of_the_other_erasure() -> None:
    """It destroyed nothing by itself, so it has no counts."""
    duplicate = structs.replace(
        RESULT,
        state=ErasureState.DUPLICATE,
        duplicate_of=ErasureId(b"o" * 16),
        counts=None,
        ledger_seq=None,
        internal_at=Micros(1),
    )
    proven = recorded_erasure(duplicate, REQUEST, OUTCOME, Micros(900))
    assert (proven.internal_at, proven.counts, proven.found) == (500, None, True)


def test_an_older_entry_has_no_rows_and_the_database_states_them() -> None:
    """Versions before rows were recorded had no request entries either."""
    old = {name: value for name, value in OUTCOME.items() if name not in ("rows", "exports")}
    assert document(recorded_erasure(RESULT, None, old, Micros(900))) == document(RESULT)
