"""What an erasure states is compared with genuine entries, and a forged or a repeated entry proves nothing."""

from typing import Any

import msgspec
import pytest

from identity.planning.privacy.erasures_of_journal import ErasureFacts, RecordedErasures
from identity.values.enums import ErasureState, RequestKind
from identity.values.ids import DestinationNumber, ErasureId, RequestId, public
from identity.values.stamps import Micros

INFORMED = "told"
ID, OTHER, REQUEST = ErasureId(b"e" * 16), ErasureId(b"o" * 16), RequestId(b"r" * 16)
HASH, COMMITMENT = b"h" * 32, b"c" * 32
DONE = ErasureFacts(
    id=ID,
    request_id=REQUEST,
    kind=RequestKind.DELETE_ONLY,
    regulation=1,
    state=ErasureState.FINISHED,
    hash=HASH,
    commitment=COMMITMENT,
    received_at=Micros(5),
    internal_at=Micros(9),
    duplicate_of=None,
    found=True,
)
WAITING = msgspec.structs.replace(DONE, state=ErasureState.RECEIVED, internal_at=None, found=None)


def entry(action: str, subject: str, **more: Any) -> bytes:
    """An entry as the ledger has it."""
    return msgspec.json.encode({"action": action, "at": 9, "subject": subject, **more})


ASKED = entry(
    "request",
    public("req", REQUEST),
    kind=RequestKind.DELETE_ONLY,
    regulation=1,
    received_at=5,
    erasures=[[ID.hex(), 1, "", HASH.hex(), COMMITMENT.hex(), 1]],
)
ERASED = entry("erase", public("ers", ID), hashes=[HASH.hex()], keys=["00"])


def recorded(*genuine: bytes, forged: bytes | None = None) -> RecordedErasures:
    """What these entries record."""
    found = RecordedErasures()
    for raw in genuine:
        found.take(raw, genuine=True)
    if forged is not None:
        found.take(forged, genuine=False)
    return found


def test_an_erasure_agrees_with_its_entries() -> None:
    """Done or waiting, with or without the entry of its request, which older versions did not write."""
    assert not recorded(ASKED, ERASED).differs(DONE)
    assert not recorded(ERASED).differs(DONE)
    assert not recorded(ASKED).differs(WAITING)
    duplicate = msgspec.structs.replace(DONE, id=OTHER, duplicate_of=ID, state=ErasureState.DUPLICATE)
    assert not recorded(ERASED).differs(duplicate)


@pytest.mark.parametrize(
    "edit",
    [
        {"internal_at": Micros(8)},
        {"internal_at": None},
        {"found": False},
        {"received_at": Micros(4)},
        {"regulation": 2},
        {"kind": RequestKind.SUPPRESS_WITH_DELETE},
        {"hash": b"x" * 32},
        {"commitment": b""},
        {"duplicate_of": OTHER},
        {"id": OTHER},
        {"state": ErasureState.RECEIVED},
        {"state": ErasureState.ON_HOLD},
        {"state": ErasureState.CANCELLED},
    ],
    ids=str,
)
def test_every_edit_of_a_done_erasure_is_found(edit: dict[str, Any]) -> None:
    """The state as well as each time and hash."""
    assert recorded(ASKED, ERASED).differs(msgspec.structs.replace(DONE, **edit))


def test_a_waiting_erasure_is_not_done_by_its_row_or_by_a_forged_entry() -> None:
    """Nor on hold or cancelled without an entry; a malformed one is passed over."""
    assert recorded(ASKED, forged=ERASED).differs(DONE)
    for state, action, subject in (
        (ErasureState.ON_HOLD, "suppress", public("ers", ID)),
        (ErasureState.CANCELLED, "erase.cancel", public("req", REQUEST)),
    ):
        row = msgspec.structs.replace(WAITING, state=state)
        assert recorded(ASKED).differs(row)
        assert recorded(ASKED, forged=b'{"action":"%s",' % action.encode()).differs(row)
        assert not recorded(ASKED, forged=entry(action, subject)).differs(row)


@pytest.mark.parametrize(
    ("kind", "action", "other"),
    [(RequestKind.SUPPRESS_ONLY, "suppress", "suppress.lift"), (RequestKind.UNSUPPRESS, "suppress.lift", "suppress")],
)
def test_a_suppression_is_done_by_the_entry_of_its_request(kind: RequestKind, action: str, other: str) -> None:
    """An entry of the other action proves nothing."""
    row = msgspec.structs.replace(DONE, kind=kind)
    asked = ASKED.replace(b'"kind":2', b'"kind":%d' % kind)
    done = {"hashes": [HASH.hex()]}
    assert not recorded(asked, entry(action, public("req", REQUEST), **done)).differs(row)
    assert recorded(asked, entry(other, public("req", REQUEST), **done)).differs(row)


def test_an_erasure_that_only_its_request_names_is_missing() -> None:
    """The rows have it, or it was deleted."""
    assert recorded(ASKED).missing({OTHER}) == {ID}
    assert recorded(ASKED).missing({ID, OTHER}) == set()


def test_a_roll_and_the_informed_destinations_are_compared() -> None:
    """The first roll after the erasure says when backups are safe; a destination that is gone needs no notice."""
    erased = entry("erase", public("ers", ID), hashes=[HASH.hex()], keys=["00"], epoch=3, **{INFORMED: [1, 2]})
    rolls = [entry("keys.roll", "", epoch=epoch, safe_at=at) for epoch, at in ((3, 20), (4, 30), (5, 40))]
    found = recorded(erased, *rolls)
    right = msgspec.structs.replace(DONE, backup_safe_at=Micros(30), informed=frozenset({DestinationNumber(1)}))
    assert not found.differs(right, {DestinationNumber(1)})
    assert found.differs(right, {DestinationNumber(1), DestinationNumber(2)})
    for safe_at in (None, Micros(20), Micros(40)):
        assert found.differs(msgspec.structs.replace(right, backup_safe_at=safe_at), {DestinationNumber(1)})
