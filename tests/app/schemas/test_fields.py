"""Fields that the API shows as text."""

from app.schemas.fields import time_or_null
from identity.values.stamps import Micros


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    """The first microsecond of 1970 is a time, not the lack of one."""
    assert time_or_null(Micros(1_769_860_800_123_456)) == "2026-01-31T12:00:00.123Z"
    assert time_or_null(Micros(0)) == "1970-01-01T00:00:00.000Z"
    assert time_or_null(None) is None
