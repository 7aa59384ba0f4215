"""How far a request is, in the words of each front door: three results that are kept apart.

What lies here (internal), what destinations said, and when backups are safe. Segment's overall status
is its own, without its mistake: one destination that cannot be told does not make a failure of it all.
"""

from collections.abc import Sequence
from typing import Any, Final

from identity.planning.privacy.deadlines import ON_TIME, clock
from identity.planning.privacy.request_kinds import (
    CANCELLED,
    DELETES,
    DUPLICATE,
    FINISHED,
    NOTICES,
    ON_HOLD,
    RECEIVED,
    REGULATIONS,
    Erased,
    Notice,
    Request,
)
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public

STATES: Final = ("received", "on_hold", "finished", "duplicate", "cancelled")
INITIALIZED, RUNNING, DONE, PARTIAL = "INITIALIZED", "RUNNING", "FINISHED", "PARTIAL_SUCCESS"
_TOLD = {"done"}
_GIVEN_UP = {"unsupported_manual", "failed", "overdue"}


def native(erased: Erased, now: int) -> dict[str, Any]:
    """An erasure as the native surface shows it."""
    return {
        "erasure_id": public("ers", erased.id),
        "request_id": public("req", erased.request_id),
        "identifier_type": erased.type,
        "regulation": REGULATIONS[erased.regulation],
        "internal": STATES[erased.state],
        "internal_at": _time(erased.internal_at),
        "destinations": [destination(notice) for notice in erased.notices],
        "backups": backups(erased, now),
        "overall": overall(erased, now),
        "received_at": format_time(erased.received_at),
        "due_at": _time(erased.due_at),
        "extended_at": _time(erased.extended_at),
        "clock": clock(erased.received_at, erased.due_at, now) if erased.state in (RECEIVED, ON_HOLD) else ON_TIME,
        "duplicate_of": None if erased.duplicate_of is None else public("ers", erased.duplicate_of),
        "destroyed": erased.counts,
        "subject_commitment": erased.commitment.hex(),
    }


def destination(notice: Notice) -> dict[str, Any]:
    """What a destination that was told of somebody has said of their erasure."""
    return {
        "destination_id": notice.destination,
        "name": notice.name,
        "status": NOTICES[notice.state],
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
    if erased.state in (RECEIVED, ON_HOLD, CANCELLED):
        return STATES[erased.state]
    said = {NOTICES[notice.state] for notice in erased.notices}
    if said - _TOLD - _GIVEN_UP:
        return "propagating"
    if said & _GIVEN_UP:
        return "partial"
    return "completed" if backups(erased, now)["state"] == "safe" else "awaiting_backups"


def segment(request: Request) -> str:
    """Segment's overallStatus of a request."""
    states = [erased.state for erased in request.erasures]
    if all(state == RECEIVED for state in states):
        return INITIALIZED
    if all(state == CANCELLED for state in states):
        return "INVALID"
    if any(state in (RECEIVED, ON_HOLD) for state in states):
        return RUNNING
    said = {segment_notice(notice) for erased in request.erasures for notice in erased.notices}
    if said & {INITIALIZED, RUNNING}:
        return RUNNING
    return DONE if said <= {DONE} else PARTIAL


def segment_notice(notice: Notice) -> str:
    """Segment's status of one destination."""
    words = {
        "queued": INITIALIZED,
        "sent": RUNNING,
        "accepted": RUNNING,
        "done": DONE,
        "unsupported_manual": "NOT_SUPPORTED",
        "failed": "FAILED",
        "overdue": "FAILED",
    }
    return words[NOTICES[notice.state]]


def finished_at(request: Request) -> int | None:
    """When the last of a request was done; None while something is not."""
    if any(erased.state not in (FINISHED, DUPLICATE, CANCELLED) for erased in request.erasures):
        return None
    ends: Sequence[int | None] = [erased.closed_at for erased in request.erasures]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _time(moment: int | None) -> str | None:
    return None if moment is None else format_time(moment)
