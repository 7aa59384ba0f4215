"""Every form of a time that common clients send is read to its microsecond, and no ambiguous form is read."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.calls import MICRO
from identity.values.timestamps import parse_iso, parse_timestamp, time_fault

T0 = 1_577_836_800 * MICRO
MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (bounds)


def micros_of(moment: datetime) -> int:
    """The microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "value",
    [
        1577836800,
        1577836800000,
        1577836800000000,
        1577836800000000000,
        1577836800.0,
        1577836800000.0,
        "1577836800",
        " 1577836800000 ",
        "1577836800.000",
        "1577836800000000",
        "1577836800000000000",
        20200101000000,
        "20200101000000",
        "20200101",
        "20200101T000000Z",
        "2020-01-01T00:00:00+0000",
        "2020-01-01T00:00:00.000+0000",
        "2020-01-01T01:00:00+0100",
        "2020-01-01T00:00:00+00",
        "2020-01-01 00:00:00 +0000",
        "2019-12-31T24:00:00Z",
        "2019-12-31T24:00",
        "2019-12-31T24",
        "2019-12-31T24:00:00.000+00:00",
        "20191231T240000Z",
        "2020-01-01 01:00:00 +0100 CET",
        "2020-01-01 00:00:00 +0000 UTC",
        "2020-01-01 00:00:00.000000000 +0000 UTC m=+0.000012345",
        "2020-01-01 03:00:00 +0300 +03",
        "2020-01-01 00:00:00 UTC",
        "2020-01-01T01:00:00+01:00[Europe/Paris]",
        "2020-01-01T00:00:00Z[UTC]",
        "Wed, 01 Jan 2020 00:00:00 GMT",
        "Wed, 1 Jan 2020 00:00:00 +0000",
        "1 Jan 2020 00:00 UT",
        "wed, 01 jan 2020 01:00:00 +0100",
        "Tue, 31 Dec 2019 19:00:00 EST",
        "Wed, 01 Jan 2020 00:00:00 +0000 (UTC)",
        "Wednesday, 01-Jan-20 00:00:00 GMT",
        "Wednesday, 01-Jan-2020 00:00:00 UTC",
        "Wed Jan 01 2020 00:00:00 GMT+0000 (Coordinated Universal Time)",
        "Wed Jan 01 2020 01:00:00 GMT+0100 (CET)",
        "Wed Jan  1 00:00:00 2020",
        "Wed Jan 01 00:00:00 UTC 2020",
    ],
)
def test_one_moment_is_read_in_every_form(value: object) -> None:
    """Epochs by their size, RFC 2822, basic offsets, and what Go, Ruby, Java, C and JavaScript print."""
    assert parse_timestamp(value) == T0


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        (1577836800.25, T0 + 250_000),
        ("1577836800.123456789", T0 + 123_456),
        (1577836800123, T0 + 123_000),
        (1577836800123.5, T0 + 123_500),
        (1577836800123456, T0 + 123_456),
        ("1577836800123456789", T0 + 123_456),
        ("1612121212345", 1_612_121_212_345_000),
        ("2020-01-01 00:00:00.123456789 +0000 UTC", T0 + 123_456),
    ],
)
def test_fractions_are_cut_to_microseconds(value: object, micros: int) -> None:
    """In every unit."""
    assert parse_timestamp(value) == micros


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00",
        "0001-01-01",
        "0001-01-01 00:00:00 +0000 UTC",
        "0001-01-01T00:00:00-07:52",
        "0001-01-01T05:30:00+05:30",
        "0001-12-31T23:59:59Z",
        "1601-01-01T00:00:00Z",
        "1753-01-01T00:00:00",
        "1899-12-30T00:00:00Z",
        "1899-12-31",
        "1900-01-01",
        "1904-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T01:00:00+01:00",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "1970-01-01T00:00:00.001Z",
        "1970-01-01T00:00:42",
        "1969-12-31",
        "1969-12-31T16:00:00-08:00",
        "1969-12-31T14:00:00Z",
        "1754-08-30T22:43:41.128654848Z",
        "0002-06-01T00:00:00Z",
        "0026-01-31",
        "1899-12-31T15:00:00Z",
    ],
)
def test_the_zero_of_a_clock_is_no_time(value: str) -> None:
    """The moment after it is one."""
    assert parse_timestamp(value) is None
    assert parse_timestamp("1970-01-02T00:00:00Z") == 86_400 * MICRO
    assert parse_timestamp("1969-12-30T23:59:59Z") == -86_401 * MICRO


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        5,
        -1577836800,
        20200101,
        202001010000,
        "202001312359",
        10**10,
        10**13 * 2,
        10**16,
        10**19,
        pytest.param(10**5000, id="5001 digits"),
        float("nan"),
        float("inf"),
        1e300,
        "",
        "now",
        "5",
        "31.12.2019",
        "12/31/2019",
        "31/12/2019 10:00",
        "1/1/2020 12:00:00 AM",
        "2020-1-1",
        "2020-01-01 00:00:00 CET",
        "Wed, 32 Jan 2020 00:00:00 GMT",
        "Wed, 01 Foo 2020 00:00:00 GMT",
        "Wed, 01 Jan 2020 00:00:00 XYZ",
        "Wed Jan 01 2020 00:00:00 2020",
        "2020-01-01T24:00:01Z",
        "2020-01-01T12.5",
        "2020-01-01T12:30,5Z",
        "20200101T1230.5Z",
        "2020-001",
        "2020-01",
        "2020-W05",
        "2020W05",
        " 2020-W05 ",
        "2020-W05T12:00:00Z",
        "2020W05T120000Z",
        "2020-W05 12:00",
        "2020-W05-12:00",
        "2020-W05-12",
        "2020-w05t12:00:00z",
        "2020-02-30T24:00:00Z",
        "\u0661\u0665\u0667\u0667\u0668\u0663\u0666\u0668\u0660\u0660",
        {},
        [1577836800],
    ],
)
def test_a_value_that_could_be_another_moment_is_no_time(value: object) -> None:
    """National dates, small numbers, numbers between two units, zones that nobody knows."""
    assert parse_timestamp(value) is None


@pytest.mark.parametrize(
    ("false", "true"),
    [
        ("Sun, 31 Jan 2026 12:00:00 +0000", "Sat, 31 Jan 2026 12:00:00 +0000"),
        ("Sunday, 31-Jan-26 12:00:00 GMT", "Saturday, 31-Jan-26 12:00:00 GMT"),
        ("Sun 31 Jan 2026 12:00", "sat 31 Jan 2026 12:00"),
        ("Foo, 31 Jan 2026 12:00:00 GMT", "SATUR, 31 Jan 2026 12:00:00 GMT"),
        ("Sun Jan 31 2026 12:00:00 GMT+0000", "Sat Jan 31 2026 12:00:00 GMT+0000"),
        ("Sun Jan 31 12:00:00 UTC 2026", "Sat Jan 31 12:00:00 UTC 2026"),
        ("Sun Jan 31 12:00:00 2026", "Sat Jan 31 12:00:00 2026"),
        # The weekday is that of the place and not that in UTC.
        ("Fri, 31 Jan 2026 02:00:00 +1400", "Sun, 01 Feb 2026 02:00:00 +1400"),
        ("2026-01-31 12:00:00 +0100 UTC", "2026-01-31 12:00:00 +0000 UTC"),
        ("2026-01-31 12:00:00 +0300 -03", "2026-01-31 09:00:00 -0300 -03"),
        ("2026-01-31 12:00:00 +0530 +05", "2026-01-31 17:30:00 +0530 +0530 m=+0.1"),
        ("2026-01-31T12:00:00+01:00[UTC]", "2026-01-31T12:00:00Z[Etc/UTC]"),
        ("Sat, 31 Jan 2026 12:00:00 +0100 (UTC)", "Sat, 31 Jan 2026 13:00:00 +0100 (CET)"),
        ("Sat Jan 31 2026 12:00:00 GMT+0100 (Coordinated Universal Time)", "Sat Jan 31 2026 12:00:00 GMT+0000 (GMT)"),
        ("2026-01-31T12:00:00+00:60", "2026-01-31T13:59:00+01:59"),
        ("2026-01-31T12:00:00+0060", "2026-01-31T12:00:00+0000"),
        ("20260131T120000-0099", "20260131T120000-0000"),
        ("2026-01-31T12:00:00+00:00:60", "2026-01-31T12:00:00+00:00:00"),
        ("Sat, 31 Jan 2026 12:00:00 +0075", "Sat, 31 Jan 2026 12:00:00 +0000"),
        ("2026-01-31T12:00:00+19:00", "2026-02-01T02:00:00+14:00"),
        # XML writes the offset of a date so; other readers take it for a time of the day.
        ("2026-01-31+12:00", "2026-01-31 12:00"),
        ("20260131-12:00", "20260131T12:00"),
        ("2026-W05-6+12:00", "2026-W05-6 12:00"),
    ],
)
def test_a_time_whose_parts_contradict_each_other_is_no_time(false: str, true: str) -> None:
    """Nobody knows which part is meant: a weekday or the date, an offset or the zone beside it."""
    assert parse_timestamp(false) is None
    assert parse_timestamp(true) is not None
    assert (parse_timestamp(true) or 0) // (86_400 * MICRO) in {20_484, 20_485}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1970-01-01T00:00:00Z", ("1970-01-01", "never set")),
        ("1899-12-31", ("1899-12-31", "never set")),
        ("0001-01-01T00:00:00Z", ("before the year 1000",)),
        (0, ("out of range", "1973 to 2286")),
        ("-5", ("out of range",)),
        (float("nan"), ("out of range",)),
        ("Sun, 31 Jan 2026 12:00:00 GMT", ("contradicts", "weekday")),
        ("yesterday", ("is no time",)),
        (True, ("is no time",)),
    ],
)
def test_what_is_wrong_with_a_time_is_named(value: object, words: tuple[str, ...]) -> None:
    """A message that says only how to write a time would not help where the time is written so."""
    assert parse_timestamp(value) is None
    assert all(word in time_fault(value) for word in words)


@given(MOMENTS)
def test_every_printed_form_of_a_moment_is_read_back(moment: datetime) -> None:
    """To the precision of the form."""
    micros = micros_of(moment)
    second = micros // MICRO * MICRO
    assert parse_timestamp(moment.isoformat()) == micros
    assert parse_timestamp(str(micros)) == micros
    assert parse_timestamp(micros // 1000) == micros // 1000 * 1000
    assert parse_timestamp(micros // MICRO) == second
    assert parse_timestamp(format_datetime(moment)) == second
    assert parse_timestamp(moment.strftime("%a %b %d %Y %H:%M:%S GMT%z")) == second
    assert parse_timestamp(moment.strftime("%Y-%m-%d %H:%M:%S.%f %z UTC")) == micros


@given(st.one_of(st.text(), st.integers(), st.floats(), st.from_regex(r"[0-9TZ:+ -]{1,30}")))
def test_no_value_is_an_error(value: object) -> None:
    """A value is a time or no time, and every ISO time is the same time here."""
    read = parse_timestamp(value)
    iso = parse_iso(value)
    assert read is None or isinstance(read, int)
    assert iso is None or read is not None or str(value).strip().isdigit()
