"""The status of a request: three separate results, and Segment's status without its mistake."""

from typing import Any

import pytest
from msgspec import structs

from app.schemas.privacy import erasure
from identity.planning.privacy import request_status
from identity.planning.privacy.privacy_requests import DestroyedCounts, ErasureNotice, ErasureResult, PrivacyRequest
from identity.values.enums import ErasureState, Law, NoticeState, RequestInterface, RequestKind
from identity.values.ids import DestinationId, ErasureId, RequestId
from identity.values.stamps import Micros

NOW = 1_000_000_000_000_000


def erased(state: ErasureState = ErasureState.FINISHED, *words: str, **more: Any) -> ErasureResult:
    """An erasure of a person with a key, with these states at destinations."""
    notices = [
        ErasureNotice(
            destination=DestinationId(bytes([nr]) * 16), name=f"d{nr}", state=NoticeState[word.upper()], at=Micros(NOW)
        )
        for nr, word in enumerate(words)
    ]
    done = Micros(NOW) if state in (ErasureState.FINISHED, ErasureState.DUPLICATE, ErasureState.CANCELLED) else None
    base = ErasureResult(
        id=ErasureId(b"e" * 16),
        request_id=RequestId(b"r" * 16),
        nr=1,
        kind=RequestKind.DELETE_ONLY,
        regulation=Law.GDPR,
        state=state,
        type="user_id",
        commitment=b"c" * 32,
        received_at=Micros(NOW - 10),
        due_at=Micros(NOW + 10),
        extended_at=None,
        internal_at=done,
        closed_at=done,
        epoch=1,
        backup_safe_at=None,
        duplicate_of=None,
        ledger_seq=1,
        counts=DestroyedCounts(keys=1),
        notices=notices,
    )
    return structs.replace(base, **more)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (erased(ErasureState.RECEIVED), "received"),
        (erased(ErasureState.ON_HOLD), "on_hold"),
        (erased(ErasureState.CANCELLED), "cancelled"),
        (erased(), "awaiting_backups"),
        (erased(backup_safe_at=NOW), "completed"),
        (erased(backup_safe_at=NOW + 1), "awaiting_backups"),
        (erased(ErasureState.FINISHED, "done", backup_safe_at=NOW), "completed"),
        (erased(ErasureState.FINISHED, "done", "queued", backup_safe_at=NOW), "propagating"),
        (erased(ErasureState.FINISHED, "done", "unsupported_manual", backup_safe_at=NOW), "partial"),
        (erased(ErasureState.FINISHED, "overdue", "sent"), "propagating"),
        (erased(counts=DestroyedCounts()), "completed"),
        (erased(kind=RequestKind.SUPPRESS_ONLY), "completed"),
    ],
)
def test_the_overall_status_never_hides_an_open_result(one: ErasureResult, expected: str) -> None:
    """One word for all results."""
    shown = erasure(one, Micros(NOW))
    assert shown.overall == expected
    assert shown.internal == one.state.label


@pytest.mark.parametrize(
    ("several", "expected"),
    [
        ([erased(ErasureState.RECEIVED), erased(ErasureState.RECEIVED)], "INITIALIZED"),
        ([erased(ErasureState.RECEIVED), erased()], "RUNNING"),
        ([erased(ErasureState.ON_HOLD), erased()], "RUNNING"),
        ([erased(), erased(ErasureState.DUPLICATE)], "FINISHED"),
        ([erased(ErasureState.CANCELLED)], "INVALID"),
        ([erased(ErasureState.FINISHED, "done"), erased()], "FINISHED"),
        ([erased(ErasureState.FINISHED, "done", "sent")], "RUNNING"),
        ([erased(ErasureState.FINISHED, "done", "failed")], "PARTIAL_SUCCESS"),
        ([erased(ErasureState.FINISHED, "unsupported_manual")], "PARTIAL_SUCCESS"),
        ([erased(ErasureState.FINISHED, "overdue", "queued")], "RUNNING"),
    ],
)
def test_one_destination_without_support_does_not_fail_the_request(several: list[ErasureResult], expected: str) -> None:
    """In Segment's status it is a partial success."""
    request = PrivacyRequest(
        id=RequestId(b"r" * 16),
        front=RequestInterface.SEGMENT,
        kind=RequestKind.DELETE_ONLY,
        regulation=Law.NONE,
        received_at=Micros(NOW),
        actor="key",
        details=None,
        erasures=several,
    )
    assert request_status.segment_status(request) == expected


def test_every_notice_has_a_status() -> None:
    """Each state has a word of Segment."""
    for state in NoticeState:
        assert request_status.segment_notice_status(
            ErasureNotice(destination=DestinationId(b"d" * 16), name="d", state=state, at=Micros(NOW))
        ).isupper()
