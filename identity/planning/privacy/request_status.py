"""How far a request is, in the words of each front door: three results that are kept apart.

What lies here (internal), what destinations said, and when backups are safe. Segment's overall status
is its own, without its mistake: one destination that cannot be told does not make a failure of it all.
"""

from collections.abc import Sequence
from typing import Any

from identity.planning.privacy.deadlines import clock
from identity.planning.privacy.request_kinds import DELETES, Erased, Notice, Request
from identity.planning.resolution.event_time import format_time
from identity.values.enums import ErasureState, NoticeState, RegulationStatus, Timeliness
from identity.values.ids import public

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


def native(erased: Erased, now: int) -> dict[str, Any]:
    """An erasure as the native surface shows it."""
    return {
        "erasure_id": public("ers", erased.id),
        "request_id": public("req", erased.request_id),
        "identifier_type": erased.type,
        "regulation": erased.regulation.label,
        "internal": erased.state.label,
        "internal_at": _time(erased.internal_at),
        "destinations": [destination(notice) for notice in erased.notices],
        "backups": backups(erased, now),
        "overall": overall(erased, now),
        "received_at": format_time(erased.received_at),
        "due_at": _time(erased.due_at),
        "extended_at": _time(erased.extended_at),
        "clock": clock(erased.received_at, erased.due_at, now)
        if erased.state in (ErasureState.RECEIVED, ErasureState.ON_HOLD)
        else Timeliness.ON_TIME,
        "duplicate_of": None if erased.duplicate_of is None else public("ers", erased.duplicate_of),
        "destroyed": erased.counts,
        "subject_commitment": erased.commitment.hex(),
    }


def destination(notice: Notice) -> dict[str, Any]:
    """What a destination that was told of somebody has said of their erasure."""
    return {
        "destination_id": notice.destination,
        "name": notice.name,
        "status": notice.state.label,
        "at": format_time(notice.at),
    }


def backups(erased: Erased, now: int) -> dict[str, Any]:
    """Whether a backup can still be opened: not once the keys of its time and their backups are gone."""
    if erased.kind not in DELETES or (erased.counts is not None and not erased.counts.get("keys")):
        return {"state": "safe", "safe_at": _time(erased.internal_at)}
    safe = erased.backup_safe_at
    return {"state": "safe" if safe is not None and safe <= now else "pending", "safe_at": _time(safe)}


def overall(erased: Erased, now: int) -> str:
    """One word for it all: `received`, `on_hold`, `cancelled`, `propagating`, `partial` or `completed`.

    `completed` is said once backups are safe too, until then `awaiting_backups`.
    """
    if erased.state in (ErasureState.RECEIVED, ErasureState.ON_HOLD, ErasureState.CANCELLED):
        return erased.state.label
    notices = {notice.state for notice in erased.notices}
    if notices - {NoticeState.DONE} - _GIVEN_UP:
        return "propagating"
    if notices & _GIVEN_UP:
        return "partial"
    return "completed" if backups(erased, now)["state"] == "safe" else "awaiting_backups"


def segment(request: Request) -> RegulationStatus:
    """Segment's overallStatus of a request."""
    states = [erased.state for erased in request.erasures]
    if all(state == ErasureState.RECEIVED for state in states):
        return RegulationStatus.INITIALIZED
    if all(state == ErasureState.CANCELLED for state in states):
        return RegulationStatus.INVALID
    if any(state in (ErasureState.RECEIVED, ErasureState.ON_HOLD) for state in states):
        return RegulationStatus.RUNNING
    statuses = {segment_notice(notice) for erased in request.erasures for notice in erased.notices}
    if statuses & {RegulationStatus.INITIALIZED, RegulationStatus.RUNNING}:
        return RegulationStatus.RUNNING
    return RegulationStatus.FINISHED if statuses <= {RegulationStatus.FINISHED} else RegulationStatus.PARTIAL_SUCCESS


def segment_notice(notice: Notice) -> RegulationStatus:
    """Segment's status of one destination."""
    return _SEGMENT[notice.state]


def finished_at(request: Request) -> int | None:
    """When the last of a request was done; None while something is not."""
    if any(
        erased.state not in (ErasureState.FINISHED, ErasureState.DUPLICATE, ErasureState.CANCELLED)
        for erased in request.erasures
    ):
        return None
    ends: Sequence[int | None] = [erased.closed_at for erased in request.erasures]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _time(moment: int | None) -> str | None:
    return None if moment is None else format_time(moment)
