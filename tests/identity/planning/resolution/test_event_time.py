"""Many forms of a time are accepted; an event time is never in the future."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.event_time import event_time, format_time, parse_time
from identity.values.calls import MICRO
from identity.values.stamps import Micros
from identity.values.timestamps import EARLIEST, LATEST

T0 = 1_735_689_600 * MICRO
MICROS = st.integers(min_value=EARLIEST, max_value=LATEST).map(Micros)
ANYTHING = st.one_of(st.none(), st.text(), st.integers(), MICROS.map(format_time))


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2025-01-01T00:00:00Z", T0),
        ("2025-01-01T00:00:00z", T0),
        ("2025-01-01t00:00:00Z", T0),
        ("2025-01-01 00:00:00", T0),
        ("2025-01-01", T0),
        (" 2025-01-01T00:00:00Z ", T0),
        ("20250101T000000Z", T0),
        ("2025-01-01T00:00Z", T0),
        ("2025-01-01T05:30:00+05:30", T0),
        ("2024-12-31T19:00:00-0500", T0),
        ("2025-01-01T00:00:00.5Z", T0 + 500_000),
        ("2025-01-01T00:00:00.123Z", T0 + 123_000),
        ("2025-01-01T00:00:00.123456Z", T0 + 123_456),
        ("2025-01-01T00:00:00.123456789Z", T0 + 123_456),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * MICRO),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999Z", -1000),
        ("0001-01-01T00:00:00Z", EARLIEST),
        ("9999-12-31T23:59:59.999999Z", LATEST),
    ],
)
def test_common_forms_of_a_time_are_read(text: str, micros: int) -> None:
    """To the microsecond."""
    assert parse_time(text) == micros


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "2025-13-01",
        "2025-02-30T00:00:00Z",
        "2025-01-01T25:00:00Z",
        "2025-01-01T24:00:01Z",
        "1735689600",
        1_735_689_600,
        1_735_689_600_000,
        1.5,
        True,
        {},
        [],
        "\ud800",
        "2025-01-01T00:00:00Z" + " " * 100,
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:60Z",
    ],
)
def test_a_value_that_is_no_time_is_absent(value: object) -> None:
    """Numbers are no times."""
    assert parse_time(value) is None


@given(MICROS)
def test_a_formatted_time_is_read_back(micros: int) -> None:
    """To the millisecond."""
    assert parse_time(format_time(Micros(micros))) == micros // 1000 * 1000


@given(st.datetimes(timezones=st.timezones()))
def test_an_iso_time_of_any_zone_is_read(moment: datetime) -> None:
    """The same microsecond in every zone."""
    utc = moment.replace(fold=0) - (moment.replace(fold=0).utcoffset() or timedelta())
    micros = (utc.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_time(moment.replace(fold=0).isoformat()) == micros


def test_a_time_is_formatted_in_utc_with_milliseconds() -> None:
    """RFC 3339 with three digits and Z."""
    assert format_time(Micros(T0 + 1_999)) == "2025-01-01T00:00:00.001Z"


@pytest.mark.parametrize(
    ("body", "sent_at", "happened"),
    [
        ({}, None, 0),
        ({"timestamp": -50}, None, -50),
        ({"originalTimestamp": -70, "timestamp": -50}, None, -70),
        ({"originalTimestamp": "soon", "timestamp": -50}, None, -50),
        ({"timestamp": "yesterday"}, -10, 0),
        ({"timestamp": 5000, "sentAt": 5010}, None, -10),
        ({"timestamp": -50, "sentAt": -20}, -49, -30),
        ({"timestamp": -50}, -20, -30),
        ({"timestamp": -50, "sentAt": "never"}, -20, -30),
        ({"sentAt": -20}, None, 0),
        ({"timestamp": 50}, None, 0),
        ({"timestamp": -20, "sentAt": -50}, None, 0),
        ({"timestamp": None, "sentAt": None}, None, 0),
    ],
)
def test_an_event_time_is_corrected_by_the_error_of_the_sender(
    body: dict[str, int | str | None], sent_at: int | None, happened: int
) -> None:
    """In seconds relative to the receipt."""
    written = {k: format_time(Micros(T0 + v * MICRO)) if isinstance(v, int) else v for k, v in body.items()}
    sent = None if sent_at is None else T0 + sent_at * MICRO
    assert event_time(written, Micros(T0), sent).time == T0 + happened * MICRO


def test_a_time_before_1970_is_valid() -> None:
    """A negative number of microseconds does not count as absent."""
    assert event_time({"timestamp": "1969-07-20T20:17:40Z"}, Micros(T0), None).time == -14_182_940 * MICRO


@pytest.mark.parametrize(
    ("body", "sent_at", "ignored", "guessed"),
    [
        ({"timestamp": "31.12.2024"}, None, ("timestamp",), True),
        ({"timestamp": ""}, None, ("timestamp",), True),
        ({"timestamp": ["2025-01-01"]}, None, ("timestamp",), True),
        ({"timestamp": True, "originalTimestamp": {}}, None, ("originalTimestamp", "timestamp"), True),
        ({"timestamp": "2024-12-31", "originalTimestamp": "soon"}, None, ("originalTimestamp",), False),
        ({"timestamp": "2024-12-31", "sentAt": "soon"}, "now", ("sentAt",), False),
        ({"timestamp": None}, None, (), False),
        ({"sentAt": "soon"}, None, ("sentAt",), False),
    ],
)
def test_every_timestamp_that_is_no_time_is_named(
    body: dict[str, object],
    sent_at: object,
    ignored: tuple[str, ...],
    guessed: bool,  # noqa: FBT001 (a column)
) -> None:
    """The receipt takes the place of the event time only where no statement of the client is readable."""
    found = event_time(body, Micros(T0), sent_at)
    assert (found.ignored, found.guessed) == (ignored, guessed)
    assert (found.time == T0) is (guessed or "timestamp" not in body or body["timestamp"] is None)


@pytest.mark.parametrize(
    ("body", "future"),
    [
        ({"timestamp": 300}, None),
        ({"timestamp": 301}, "timestamp"),
        ({"originalTimestamp": 301, "timestamp": -50}, "originalTimestamp"),
        ({"originalTimestamp": -50, "timestamp": 301}, None),
        ({"timestamp": 5000, "sentAt": 5010}, None),
        ({"timestamp": 5000, "sentAt": 10}, "timestamp"),
        ({"timestamp": -50, "sentAt": 100_000}, "sentAt"),
        ({"timestamp": -50, "sentAt": 80_000}, None),
        ({"sentAt": 5000}, None),
        ({}, None),
    ],
)
def test_a_time_ahead_of_the_receipt_is_named_beyond_the_error_of_clocks(
    body: dict[str, int], future: str | None
) -> None:
    """In seconds; the clock of the sender may be fast by five minutes, and by any time where the call says so."""
    written = {name: format_time(Micros(T0 + seconds * MICRO)) for name, seconds in body.items()}
    assert event_time(written, Micros(T0), None).future == future


@given(ANYTHING, ANYTHING, ANYTHING, st.integers(min_value=0, max_value=2 * T0), st.one_of(st.none(), MICROS))
def test_an_event_time_is_never_later_than_the_receipt(
    timestamp: object, original: object, sent: object, received: int, envelope: int | None
) -> None:
    """With any combination of client times; the result can always be formatted."""
    body = {"timestamp": timestamp, "originalTimestamp": original, "sentAt": sent}
    assert EARLIEST <= event_time(body, Micros(received), envelope).time <= received
