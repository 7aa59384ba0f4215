"""How far a request is: three results kept apart, and Segment's status without its mistake."""

from typing import Any

import pytest
from msgspec import structs

from identity.planning.privacy import request_status
from identity.planning.privacy.request_kinds import (
    CANCELLED,
    DELETE_ONLY,
    DUPLICATE,
    FINISHED,
    NOTICES,
    ON_HOLD,
    RECEIVED,
    SEGMENT,
    SUPPRESS_ONLY,
    Erased,
    Notice,
    Request,
)

NOW = 1_000_000_000_000_000


def erased(state: int = FINISHED, *said: str, **more: Any) -> Erased:
    """An erasure of somebody with a key, of whom destinations said so."""
    notices = [Notice(f"dst_{nr}", f"d{nr}", NOTICES.index(word), NOW) for nr, word in enumerate(said)]
    done = NOW if state in (FINISHED, DUPLICATE, CANCELLED) else None
    base = Erased(
        b"e" * 16, b"r" * 16, 1, DELETE_ONLY, 1, state, "user_id", b"c" * 32, NOW - 10, NOW + 10, None, done,
        done, 1, None, None, 1, {"keys": 1, "rows": {}}, notices,
    )  # fmt: skip
    return structs.replace(base, **more)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (erased(RECEIVED), "received"),
        (erased(ON_HOLD), "on_hold"),
        (erased(CANCELLED), "cancelled"),
        (erased(), "awaiting_backups"),
        (erased(backup_safe_at=NOW), "completed"),
        (erased(backup_safe_at=NOW + 1), "awaiting_backups"),
        (erased(FINISHED, "done", backup_safe_at=NOW), "completed"),
        (erased(FINISHED, "done", "queued", backup_safe_at=NOW), "propagating"),
        (erased(FINISHED, "done", "unsupported_manual", backup_safe_at=NOW), "partial"),
        (erased(FINISHED, "overdue", "sent"), "propagating"),
        (erased(counts={"keys": 0, "rows": {}}), "completed"),
        (erased(kind=SUPPRESS_ONLY), "completed"),
    ],
)
def test_overall(one: Erased, expected: str) -> None:
    """One word for it, which never hides that something is left."""
    shown = request_status.native(one, NOW)
    assert shown["overall"] == expected
    assert shown["internal"] == request_status.STATES[one.state]


@pytest.mark.parametrize(
    ("several", "expected"),
    [
        ([erased(RECEIVED), erased(RECEIVED)], "INITIALIZED"),
        ([erased(RECEIVED), erased()], "RUNNING"),
        ([erased(ON_HOLD), erased()], "RUNNING"),
        ([erased(), erased(DUPLICATE)], "FINISHED"),
        ([erased(CANCELLED)], "INVALID"),
        ([erased(FINISHED, "done"), erased()], "FINISHED"),
        ([erased(FINISHED, "done", "sent")], "RUNNING"),
        ([erased(FINISHED, "done", "failed")], "PARTIAL_SUCCESS"),
        ([erased(FINISHED, "unsupported_manual")], "PARTIAL_SUCCESS"),
        ([erased(FINISHED, "overdue", "queued")], "RUNNING"),
    ],
)
def test_segment(several: list[Erased], expected: str) -> None:
    """One destination that cannot be told does not make a failure of everything."""
    assert request_status.segment(Request(b"r" * 16, SEGMENT, DELETE_ONLY, 0, NOW, "key", None, several)) == expected


def test_every_notice_has_a_status() -> None:
    """Whatever a destination said is shown in Segment's words."""
    for state, _ in enumerate(NOTICES):
        assert request_status.segment_notice(Notice("dst_1", "d", state, NOW)).isupper()
