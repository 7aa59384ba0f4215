"""What a line of the list of rejections counts as lost, and which lines a filter passes."""

from typing import Any

from identity.operations.integrity.listed_rejection import ListedRejection, RejectionFilter, UnlinkedCount
from identity.values.enums import StoredStatus
from identity.values.stamps import Micros


def line(status: StoredStatus = StoredStatus.ACCEPTED, **fields: Any) -> ListedRejection:
    """A line with these fields."""
    empty: dict[str, Any] = {
        "at": Micros(1), "received_at": Micros(1), "message_id": "m", "kind": "track", "status": status,
        "reason": None, "demoted": [], "ignored": [], "ignored_count": 0, "ignored_timestamp": None,
        "mended_values": 0, "hint": None, "invalid_signals": [], "ignored_fields": {}, "source": "key_1",
        "profile_id": None,
    }  # fmt: skip
    return ListedRejection(**{**empty, **fields})


def test_a_call_a_value_and_an_identifier_are_each_counted() -> None:
    """An ignored timestamp is one, whether it is the reason or stands beside it."""
    lost = line(
        demoted=[UnlinkedCount(None, "blocked", 2), UnlinkedCount("email:a@example.org", "limit:email", 1)],
        ignored_timestamp="then", mended_values=3, invalid_signals=["gpp"], ignored_fields={"ip": "bad_ip"},
    ).lost()  # fmt: skip

    assert lost == {
        "blocked": 2, "limit:email": 1, "ignored_timestamp": 1, "mended_value": 3, "invalid_signal": 1, "bad_ip": 1,
    }  # fmt: skip
    assert line(reason="ignored_timestamp", ignored_timestamp="then").lost() == {"ignored_timestamp": 1}
    assert line(StoredStatus.REJECTED, reason="too_large").lost() == {"too_large": 1}
    assert sum(line(StoredStatus.REJECTED).lost().values()) == 1
    assert line().lost() == {}


def test_a_filter_passes_the_lines_that_meet_all_it_names() -> None:
    """`limit` is that of any type; a reason in full is that of one."""
    demoted = line(demoted=[UnlinkedCount(None, "limit:email", 1)])

    assert RejectionFilter().is_open
    assert [
        RejectionFilter(**wanted).passes(demoted)
        for wanted in (
            {}, {"reason": "limit"}, {"reason": "limit:email"}, {"reason": "limit:phone"}, {"reason": "blocked"},
            {"source": "key_1"}, {"source": "key_2"}, {"status": StoredStatus.REJECTED},
            {"reason": "limit", "source": "key_2"},
        )
    ] == [True, True, True, False, False, True, False, False, False]  # fmt: skip
