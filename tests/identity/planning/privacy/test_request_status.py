"""The status of a request: three separate results, and Segment's status without its mistake."""

from typing import Any

import pytest
from msgspec import structs

from app.schemas.privacy import erasure
from identity.planning.privacy import request_status
from identity.planning.privacy.privacy_requests import DestroyedCounts, ErasureNotice, ErasureResult, PrivacyRequest
from identity.values.enums import ErasureState, Law, NoticeState, RequestInterface, RequestKind

NOW = 1_000_000_000_000_000


def erased(state: ErasureState = ErasureState.FINISHED, *words: str, **more: Any) -> ErasureResult:
    """An erasure of a person with a key, with these states at destinations."""
    notices = [ErasureNotice(f"dst_{nr}", f"d{nr}", NoticeState[word.upper()], NOW) for nr, word in enumerate(words)]
    done = NOW if state in (ErasureState.FINISHED, ErasureState.DUPLICATE, ErasureState.CANCELLED) else None
    base = ErasureResult(
        b"e" * 16, b"r" * 16, 1, RequestKind.DELETE_ONLY, Law.GDPR, state, "user_id", b"c" * 32, NOW - 10, NOW + 10,
        None, done, done, 1, None, None, 1, DestroyedCounts(keys=1), notices,
    )  # fmt: skip
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
    shown = erasure(one, NOW)
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
        b"r" * 16, RequestInterface.SEGMENT, RequestKind.DELETE_ONLY, Law.NONE, NOW, "key", None, several
    )  # fmt: skip
    assert request_status.segment_status(request) == expected


def test_every_notice_has_a_status() -> None:
    """Each state has a word of Segment."""
    for state in NoticeState:
        assert request_status.segment_notice_status(ErasureNotice("dst_1", "d", state, NOW)).isupper()
