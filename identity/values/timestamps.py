"""Reads a time in the forms that clients send: ISO 8601, epochs, RFC 2822, and what common languages print.

Only unambiguous forms are read. The zero of a clock (1900-01-01, 1970-01-01) stands for a time that was never set, in
any time zone and in the first day after the start of the clock, so no client means these days. Neither does a client
mean a year before 1000, such as 0026. A date in a national form (31.12.2025, 12/31/2025) is no time,
since another country reads another day; a wrong time would overwrite what is newer. Neither is a text whose parts
contradict each other, such as a weekday that the date does not have. Times are microseconds since 1970 (UTC).
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from identity.values.calls import MICRO
from identity.values.stamps import Micros

EARLIEST: Final = Micros(-62_135_596_800 * MICRO)
LATEST: Final = Micros(253_402_300_800 * MICRO - 1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86_400
_DAY: Final = _DAY_SECONDS * MICRO
_YEAR_1000: Final = int((datetime(1000, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) * MICRO
# Windows begins in 1601, SQL Server in 1753, OLE and spreadsheets in 1899 or 1900, NTP in 1900, classic Mac OS in 1904
# and Unix in 1970. The years 1 of Go and .NET lie before the year 1000; as nanoseconds, Go's overflows to 1754.
_ZEROS: Final = tuple(
    int((datetime(*day, tzinfo=UTC) - _EPOCH).total_seconds()) * MICRO
    for day in (
        (1601, 1, 1), (1753, 1, 1), (1754, 8, 30), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (1904, 1, 1),
        (1970, 1, 1),
    )
)  # fmt: skip
# A zero at midnight of any zone lies less than a day from midnight in UTC.
_LATEST_ZERO: Final = _ZEROS[-1] + _DAY
_LONGEST_TEXT = 100
# The least value of each unit and the microseconds in it, times 1,000. The years 1973 to 2286 have 9 or 10 digits in
# seconds and three more in each smaller unit; a number between two units is no time.
_UNITS = (
    (10**8, 10**10, MICRO * 1000),
    (10**11, 10**13, MICRO),
    (10**14, 10**16, 1000),
    (10**17, 10**19, 1),
)
_LARGEST_NUMBER = 10**19
_NUMBER = re.compile(r"(\d{9,19})(?:\.(\d{1,12}))?", re.ASCII)
# 202601311200 to the minute is also a number of milliseconds, in 1976.
_TO_THE_MINUTE = re.compile(r"(?:19[7-9]\d|20\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d")
_COMPACT = re.compile(r"(\d{8})(\d{6})", re.ASCII)
_MIDNIGHT = re.compile(
    r"(\d{4}-?\d\d-?\d\d)[T ]24(?::?00(?::?00(?:[.,]0+)?)?)?(Z| ?[+-]\d\d(?::?\d\d)?)?", re.ASCII | re.IGNORECASE
)
# 2020-01-01 00:00:00.5 +0000 UTC m=+0.01 (Go), 2020-01-01 00:00:00 UTC (Ruby), ...T00:00:00+01:00[Europe/Paris] (Java)
_PRINTED = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?) ?(?:"
    r"([+-]\d\d:?\d\d|Z)(?: ([A-Z]{1,5}|[+-]\d\d(?:\d\d)?)|\[([A-Za-z0-9_+/-]{1,40})\])?(?: m=[+-]\d+\.\d+)?"
    r"|UTC|GMT)",
    re.ASCII,
)
_WEEKDAY = r"(?P<weekday>[A-Z]{3,9})"
_MONTH = r"(?P<month>[A-Z]{3})"
_ZONE = r"(?: (?:(?:GMT|UTC)?(?P<offset>[+-]\d\d:?\d\d)|(?P<zone>[A-Z]{1,4})))?"
_NOTE = r"(?: \((?P<note>[^)]*)\))?"
# Wed, 01 Jan 2020 00:00:00 GMT (RFC 2822), Wednesday, 01-Jan-20 00:00:00 GMT (RFC 850)
_MAIL = re.compile(
    rf"(?:{_WEEKDAY},? )?(?P<day>\d{{1,2}})[ -]{_MONTH}[ -](?P<year>\d{{4}}|\d\d) (?P<clock>\d\d:\d\d(?::\d\d)?)"
    rf"{_ZONE}{_NOTE}",
    re.ASCII | re.IGNORECASE,
)
# Wed Jan 01 2020 00:00:00 GMT+0000 (Coordinated Universal Time) (JavaScript), Wed Jan 1 00:00:00 UTC 2020 (Java, C)
_UNIX = re.compile(
    rf"{_WEEKDAY} {_MONTH}  ?(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) )?(?P<clock>\d\d:\d\d:\d\d)"
    rf"{_ZONE}(?: (?P<last>\d{{4}}))?{_NOTE}",
    re.ASCII | re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONES = {
    "utc": 0, "gmt": 0, "ut": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7,
}  # fmt: skip
# Names of no offset but zero; others, such as CST, stand for several.
_ZERO_ZONES = frozenset(
    {"utc", "gmt", "ut", "z", "etc/utc", "etc/gmt", "coordinated universal time", "greenwich mean time"}
)
_CENTURY_TURN = 50


# Nearly every time of a call has this form, in which nothing is ambiguous.
_OF_SDKS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
# `fromisoformat` takes a fraction of an hour or a minute for one of a second.
_PART_OF_HOUR = re.compile(r"[Tt ]\d\d(:?\d\d)?[.,]")
# ... and a week without a day for its Monday.
_WEEK_ALONE = re.compile(r"\s*\d{4}-?W\d\d(?!-?[1-7](?!\d))", re.IGNORECASE)
# ... and an offset of an hour for one of 60 minutes. No clock of the world is more than 18 hours away.
_BAD_OFFSET = re.compile(r"[Tt ][\d:.,]+\s?[+-](?:(?:19|2\d)|\d\d:?[6-9]\d|\d\d:?\d\d:?[6-9]\d)")
# ... and the offset of a date alone, as XML has it, for a time of the day.
_DATE_WITH_OFFSET = re.compile(r"\s*(?:\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d-?\d)[+-]", re.IGNORECASE)


def parse_iso(value: object) -> Micros | None:
    """The microseconds of an ISO 8601 or RFC 3339 time; None for any other value.

    Also accepted: a date alone (midnight), a space or small letter for `T`, small `z`, a missing zone (UTC),
    fractions of any length (cut to microseconds), a leap second (the next second), 24:00 (the next day).
    """
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    if _PART_OF_HOUR.search(value) or _WEEK_ALONE.match(value):
        return None
    if _BAD_OFFSET.search(value) or _DATE_WITH_OFFSET.match(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _parse_rare(value)
    return _micros(moment)


def parse_timestamp(value: object) -> Micros | None:
    """The microseconds of a time as clients send it; None for a value that is no unambiguous time, or a zero."""
    found = _read(value)
    return None if found is None or (found < _LATEST_ZERO and _is_zero(found)) else found


def time_fault(value: object) -> str:
    """What is wrong with a value that `parse_timestamp` does not read; the words follow the name of a field."""
    found = _read(value)
    if found is not None and found < _YEAR_1000:
        return "lies before the year 1000, which stands for a time that was never set"
    if found is not None:
        day = (_EPOCH + timedelta(microseconds=found)).date()
        return f"lies on {day}, the zero of a clock, which stands for a time that was never set"
    number = value.strip() if isinstance(value, str) else value
    if isinstance(number, str) and number.lstrip("-").replace(".", "", 1).isdigit():
        number = 0
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        return (
            "is a number that is out of range: seconds, milliseconds, microseconds or nanoseconds since 1970 are read"
            " for the years 1973 to 2286"
        )
    if isinstance(value, str) and any(each.fullmatch(value.strip()) for each in (_MAIL, _UNIX, _PRINTED)):
        return "is no time: a part is out of range or contradicts another, as a weekday that the date does not have"
    return "is no time"


def _is_zero(time: Micros) -> bool:
    """Whether a time lies on the day of a zero or on the day before, or in a year that is no year of an event."""
    return time < _YEAR_1000 or any(zero - _DAY <= time < zero + _DAY for zero in _ZEROS)


def _read(value: object) -> Micros | None:
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return _epoch(format(Decimal(repr(value)), "f")) if 0 < value < _LARGEST_NUMBER else None
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    if _OF_SDKS.fullmatch(value):
        try:
            return _micros(datetime.fromisoformat(value))
        except ValueError:
            pass  # 24:00, a leap second, or no time
    text = value.strip()
    # Digits come first: `fromisoformat` would read the milliseconds 1612121212345 as the year 1612.
    if _NUMBER.fullmatch(text):
        return _epoch(text)
    found = parse_iso(text)
    return _parse_printed(text) if found is None else found


def _epoch(text: str) -> Micros | None:
    compact = _COMPACT.fullmatch(text)
    if compact is not None:
        return parse_iso(f"{compact[1]}T{compact[2]}")
    found = _NUMBER.fullmatch(text)
    if found is None or _TO_THE_MINUTE.fullmatch(text):
        return None
    number = int(found[1])
    for least, end, unit in _UNITS:
        if least <= number < end:
            fraction = found[2] or "0"
            part = int(fraction) * unit // int("1" + "0" * len(fraction))
            return Micros((number * unit + part) // 1000)
    return None


def _micros(moment: datetime, more_seconds: int = 0) -> Micros | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    seconds = since.days * _DAY_SECONDS + since.seconds + more_seconds
    micros = Micros(seconds * MICRO + since.microseconds)
    return micros if EARLIEST <= micros <= LATEST else None


def _parse_rare(value: str) -> Micros | None:
    """The ISO forms that `fromisoformat` refuses."""
    text = value.strip().upper()
    midnight = _MIDNIGHT.fullmatch(text)
    leap = text[16:19] == ":60"
    more = int(leap)
    if midnight is not None:
        text, more = f"{midnight[1]}T00{midnight[2] or ''}", _DAY_SECONDS
        if "-" not in midnight[1]:
            text = f"{midnight[1]}T0000{(midnight[2] or '').replace(':', '')}"
    elif leap:
        text = text[:16] + ":59" + text[19:]
    elif text == value:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _micros(moment, more)


def _parse_printed(text: str) -> Micros | None:
    printed = _PRINTED.fullmatch(text)
    if printed is not None:
        time, offset, *names = printed.groups()
        return parse_iso(time + (offset or "Z")) if _agree(offset, *names) else None
    found = _MAIL.fullmatch(text)
    if found is not None:
        return _moment(found, found["year"])
    found = _UNIX.fullmatch(text)
    if found is not None and (found["year"] is None) != (found["last"] is None):
        return _moment(found, found["year"] or found["last"])
    return None


def _moment(found: re.Match[str], digits: str) -> Micros | None:
    """The time of a printed date; None where its parts make no time, or contradict each other."""
    month, zone, offset, weekday = found["month"].lower(), found["zone"], found["offset"], found["weekday"]
    if month not in _MONTHS or (zone is not None and zone.lower() not in _ZONES) or not _agree(offset, found["note"]):
        return None
    year = int(digits)
    if len(digits) == 2:  # noqa: PLR2004 (digits; RFC 2822 §4.3)
        year += 2000 if year < _CENTURY_TURN else 1900
    day = f"{year:04}-{_MONTHS.index(month) + 1:02}-{int(found['day']):02}"
    try:
        moment = datetime.fromisoformat(f"{day}T{found['clock']}")
    except ValueError:
        return None
    if weekday is not None and not _WEEKDAYS[moment.weekday()].startswith(weekday.lower()):
        return None
    if offset is not None:
        return parse_iso(f"{moment.isoformat()}{offset}")
    return _micros(moment.replace(tzinfo=timezone(timedelta(hours=0 if zone is None else _ZONES[zone.lower()]))))


def _agree(offset: str | None, *names: str | None) -> bool:
    """Whether an offset and what stands beside it agree: the offset again, or a zone whose offset is always zero."""
    number = _offset(offset or "Z")
    return all(
        _offset(name) == number if name[:1] in "+-" else number == 0 or name.lower() not in _ZERO_ZONES
        for name in names
        if name and offset
    )


def _offset(text: str) -> int:
    """An offset as a number that shows its hours and minutes."""
    digits = "".join(each for each in text if each.isdigit()).ljust(4, "0")
    return -int(digits) if text[0] == "-" else int(digits)
