"""Derives the status of a request for each interface from three separate results.

The results are internal, at destinations and in backups, and no status hides an open result. Segment's overall status
has the same words here, but one destination that cannot acknowledge does not fail the whole request.
"""

from collections.abc import Sequence

from msgspec import Struct

from identity.planning.privacy.deadlines import timeliness_of
from identity.planning.privacy.privacy_requests import DELETES, ErasureNotice, ErasureResult, PrivacyRequest
from identity.values.enums import ErasureState, NoticeState, RegulationStatus, Timeliness
from identity.values.stamps import Micros

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
    """Whether no backup with the erased data can be opened any more, and the time from which this holds."""

    safe: bool
    safe_at: Micros | None


def timeliness(result: ErasureResult, now: Micros) -> Timeliness:
    """The timeliness of an erasure; a finished erasure is on time."""
    if result.state in (ErasureState.RECEIVED, ErasureState.ON_HOLD):
        return timeliness_of(result.received_at, result.due_at, now)
    return Timeliness.ON_TIME


def backup_safety(result: ErasureResult, now: Micros) -> BackupSafety:
    """Whether backups are safe: the epoch keys they need and the backups of those keys are destroyed."""
    if result.kind not in DELETES or (result.counts is not None and not result.counts.keys):
        return BackupSafety(True, result.internal_at)
    safe_at = result.backup_safe_at
    return BackupSafety(safe_at is not None and safe_at <= now, safe_at)


def overall_status(result: ErasureResult, now: Micros) -> str:
    """One word for all results: `received`, `on_hold`, `cancelled`, `propagating`, `partial` or `completed`.

    An erasure is `awaiting_backups` until backups are safe, and `completed` only then.
    """
    if result.state in (ErasureState.RECEIVED, ErasureState.ON_HOLD, ErasureState.CANCELLED):
        return result.state.label
    notices = {notice.state for notice in result.notices}
    if notices - {NoticeState.DONE} - _GIVEN_UP:
        return "propagating"
    if notices & _GIVEN_UP:
        return "partial"
    return "completed" if backup_safety(result, now).safe else "awaiting_backups"


def all_found(request: PrivacyRequest) -> bool | None:
    """Whether somebody had each identifier of a request; None while the request waits to look for one."""
    results = [result.found for result in request.erasures]
    if False in results:
        return False
    return None if None in results or not results else True


def segment_status(request: PrivacyRequest) -> RegulationStatus:
    """Segment's overallStatus of a request."""
    states = [result.state for result in request.erasures]
    if all(state == ErasureState.RECEIVED for state in states):
        return RegulationStatus.INITIALIZED
    if all(state == ErasureState.CANCELLED for state in states):
        return RegulationStatus.INVALID
    if any(state in (ErasureState.RECEIVED, ErasureState.ON_HOLD) for state in states):
        return RegulationStatus.RUNNING
    statuses = {segment_notice_status(notice) for result in request.erasures for notice in result.notices}
    if statuses & {RegulationStatus.INITIALIZED, RegulationStatus.RUNNING}:
        return RegulationStatus.RUNNING
    return RegulationStatus.FINISHED if statuses <= {RegulationStatus.FINISHED} else RegulationStatus.PARTIAL_SUCCESS


def segment_notice_status(notice: ErasureNotice) -> RegulationStatus:
    """Segment's status of one destination."""
    return _SEGMENT[notice.state]


def finished_at(request: PrivacyRequest) -> Micros | None:
    """The closing time of the last erasure of a request; None while an erasure is open."""
    if any(
        result.state not in (ErasureState.FINISHED, ErasureState.DUPLICATE, ErasureState.CANCELLED)
        for result in request.erasures
    ):
        return None
    ends: Sequence[Micros | None] = [result.closed_at for result in request.erasures]
    return None if None in ends else max((end for end in ends if end is not None), default=None)
