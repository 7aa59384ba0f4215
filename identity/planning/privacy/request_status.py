"""The status of a request as each interface words it, from three separate results.

The results are those here (internal), at destinations and in backups. Segment's overall status keeps its
words without its flaw: one destination that cannot acknowledge does not fail the whole request.
"""

from collections.abc import Sequence

from msgspec import Struct

from identity.planning.privacy.deadlines import clock
from identity.planning.privacy.privacy_requests import DELETES, ErasureNotice, ErasureResult, PrivacyRequest
from identity.values.enums import ErasureState, NoticeState, RegulationStatus, Timeliness

_GIVEN_UP = {NoticeState.UNSUPPORTED_MANUAL, NoticeState.FAILED, NoticeState.OVERDUE}
_SEGMENT = {
    NoticeState.QUEUED: RegulationStatus.INITIALIZED,
    NoticeState.SENT: RegulationStatus.RUNNING,
    NoticeState.ACCEPTED: RegulationStatus.RUNNING,
    NoticeState.DONE: RegulationStatus.FINISHED,
    NoticeState.UNSUPPORTED_MANUAL: RegulationStatus.NOT_SUPPORTED,
    NoticeState.FAILED: RegulationStatus.FAILED,
    NoticeState.OVERDUE: RegulationStatus.FAILED,
}


class BackupSafety(Struct, frozen=True):
    """Whether no backup with the erased data can be opened any more, and since or from when (microseconds)."""

    safe: bool
    safe_at: int | None


def timeliness(result: ErasureResult, now: int) -> Timeliness:
    """How an erasure stands against its due date; a finished one is on time."""
    if result.state in (ErasureState.RECEIVED, ErasureState.ON_HOLD):
        return clock(result.received_at, result.due_at, now)
    return Timeliness.ON_TIME


def backups(result: ErasureResult, now: int) -> BackupSafety:
    """Whether backups are safe: the keys of their time and the backups of those keys are gone."""
    if result.kind not in DELETES or (result.counts is not None and not result.counts.get("keys")):
        return BackupSafety(True, result.internal_at)
    safe_at = result.backup_safe_at
    return BackupSafety(safe_at is not None and safe_at <= now, safe_at)


def overall(result: ErasureResult, now: int) -> str:
    """One word for all results: `received`, `on_hold`, `cancelled`, `propagating`, `partial` or `completed`.

    It is `awaiting_backups` until backups are safe, and only then `completed`.
    """
    if result.state in (ErasureState.RECEIVED, ErasureState.ON_HOLD, ErasureState.CANCELLED):
        return result.state.label
    notices = {notice.state for notice in result.notices}
    if notices - {NoticeState.DONE} - _GIVEN_UP:
        return "propagating"
    if notices & _GIVEN_UP:
        return "partial"
    return "completed" if backups(result, now).safe else "awaiting_backups"


def segment(request: PrivacyRequest) -> RegulationStatus:
    """Segment's overallStatus of a request."""
    states = [result.state for result in request.erasures]
    if all(state == ErasureState.RECEIVED for state in states):
        return RegulationStatus.INITIALIZED
    if all(state == ErasureState.CANCELLED for state in states):
        return RegulationStatus.INVALID
    if any(state in (ErasureState.RECEIVED, ErasureState.ON_HOLD) for state in states):
        return RegulationStatus.RUNNING
    statuses = {segment_notice(notice) for result in request.erasures for notice in result.notices}
    if statuses & {RegulationStatus.INITIALIZED, RegulationStatus.RUNNING}:
        return RegulationStatus.RUNNING
    return RegulationStatus.FINISHED if statuses <= {RegulationStatus.FINISHED} else RegulationStatus.PARTIAL_SUCCESS


def segment_notice(notice: ErasureNotice) -> RegulationStatus:
    """Segment's status of one destination."""
    return _SEGMENT[notice.state]


def finished_at(request: PrivacyRequest) -> int | None:
    """When the last erasure of a request was closed; None while one is open."""
    if any(
        result.state not in (ErasureState.FINISHED, ErasureState.DUPLICATE, ErasureState.CANCELLED)
        for result in request.erasures
    ):
        return None
    ends: Sequence[int | None] = [result.closed_at for result in request.erasures]
    return None if None in ends else max((end for end in ends if end is not None), default=None)
