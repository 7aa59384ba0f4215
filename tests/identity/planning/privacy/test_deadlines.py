"""Due dates: months that are too short, leap years, weekends, and the one extension."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.privacy.deadlines import confirm_by, due_date, extended_due_date, timeliness_of
from identity.values.enums import Law
from identity.values.stamps import Micros

MICRO = 1_000_000
moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))  # noqa: DTZ001


def at(text: str) -> int:
    """A moment in microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * MICRO


def day(moment: int | None) -> str:
    """The day that a due date ends."""
    assert moment is not None
    return datetime.fromtimestamp(moment / MICRO, UTC).date().isoformat()


@pytest.mark.parametrize(
    ("regulation", "received", "first", "later"),
    [
        (Law.GDPR, "2026-01-15T10:00:00", "2026-02-15", "2026-04-15"),
        (Law.GDPR, "2026-01-31T23:59:59", "2026-02-28", "2026-04-30"),
        (Law.GDPR, "2028-01-31T00:00:00", "2028-02-29", "2028-04-30"),
        (Law.GDPR, "2026-11-30T12:00:00", "2026-12-30", "2027-02-28"),
        (Law.GDPR, "2026-12-31T12:00:00", "2027-01-31", "2027-03-31"),
        (Law.CCPA, "2026-01-01T12:00:00", "2026-02-15", "2026-04-01"),
        (Law.CCPA, "2028-02-01T12:00:00", "2028-03-17", "2028-05-01"),
    ],
)
def test_a_request_is_due_by_the_law_and_later_when_extended(
    regulation: int, received: str, first: str, later: str
) -> None:
    """Short months and leap years included."""
    assert day(due_date(regulation, Micros(at(received)))) == first
    assert day(extended_due_date(regulation, Micros(at(received)))) == later


def test_without_a_law_there_is_no_due_date() -> None:
    """And nothing to extend."""
    assert due_date(Law.NONE, Micros(at("2026-01-01T00:00:00"))) is None
    with pytest.raises(ValueError, match="no due date"):
        extended_due_date(Law.NONE, Micros(at("2026-01-01T00:00:00")))


@pytest.mark.parametrize(
    ("received", "by"),
    [
        ("2026-01-05T12:00:00", "2026-01-19"),
        ("2026-01-09T12:00:00", "2026-01-23"),
        ("2026-01-10T12:00:00", "2026-01-23"),
    ],
)
def test_receipt_is_confirmed_within_ten_business_days(received: str, by: str) -> None:
    """Under the CCPA only; weekends do not count."""
    assert day(confirm_by(Law.CCPA, Micros(at(received)))) == by
    assert confirm_by(Law.GDPR, Micros(at(received))) is None


@given(moments, st.sampled_from([Law.GDPR, Law.CCPA]))
def test_a_due_date_never_exceeds_the_law(moment: datetime, regulation: int) -> None:
    """It is later than its request, and its extension is later still."""
    received = int(moment.timestamp() * MICRO)
    first = due_date(regulation, Micros(received))
    assert first is not None
    assert received < first < extended_due_date(regulation, Micros(received))
    most = timedelta(days=32 if regulation == Law.GDPR else 46)
    assert first - received <= most / timedelta(microseconds=1)


def test_a_request_is_at_risk_from_70_percent_and_then_overdue() -> None:
    """Never without a due date."""
    assert [timeliness_of(Micros(0), Micros(100), Micros(now)) for now in (0, 69, 70, 99, 100)] == [
        "on_time", "on_time", "at_risk", "at_risk", "overdue",
    ]  # fmt: skip
    assert timeliness_of(Micros(0), None, Micros(10**18)) == "on_time"
