"""Reads the event time of a call, corrected by the error of the sender's clock.

An event time is never later than the receipt, since a time in the future would win over every later call. An
unreadable time counts as absent. All times are microseconds since 1970 (UTC) within the years 1 to 9999, and
may be negative.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from identity.values.calls import MICRO

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (an offset of zero would be printed as one)
_DAY_SECONDS = 86_400
_LONGEST_TEXT = 64

EARLIEST: Final = -62_135_596_800 * MICRO
LATEST: Final = 253_402_300_800 * MICRO - 1


def parse_time(value: object) -> int | None:
    """The microseconds of an ISO 8601 or RFC 3339 time; None for any other value.

    Also accepted: a date alone (midnight), a space or small letter for `T`, small `z`, a missing zone (UTC),
    fractions of any length (cut to microseconds), a leap second (the next second). A number is no time, since
    its unit and its epoch are unknown.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _parse_rare(value)
    return _micros(moment, 0)


def event_time(body: Mapping[str, Any], received: int, sent_at: int | None) -> int:
    """The event time of a call: `received` less the time that the call waited in the sender, never later.

    The client time is `originalTimestamp`, else `timestamp`. `sent_at` is the sending time of the envelope; the
    `sentAt` of the call overrides it. Without a client time the event time is `received`, without a sending
    time the client time.
    """
    get = body.get
    client = parse_time(get("originalTimestamp"))
    if client is None:
        client = parse_time(get("timestamp"))
        if client is None:
            return received
    sent = parse_time(get("sentAt"))
    if sent is None:
        sent = sent_at
    happened = client if sent is None else received - (sent - client)
    return min(max(happened, EARLIEST), received)


def format_time(micros: int) -> str:
    """RFC 3339 in UTC with milliseconds (cut, not rounded) and `Z`."""
    # Every answer formats many times; positional arguments take a third less time.
    moment = _NAIVE_EPOCH + timedelta(0, 0, min(max(micros, EARLIEST), LATEST))
    return moment.isoformat("T", "milliseconds") + "Z"


def _micros(moment: datetime, more_seconds: int) -> int | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    seconds = since.days * _DAY_SECONDS + since.seconds + more_seconds
    micros = seconds * MICRO + since.microseconds
    return micros if EARLIEST <= micros <= LATEST else None


def _parse_rare(value: str) -> int | None:
    """The accepted forms that `fromisoformat` refuses."""
    text = value.strip().upper()
    leap = text[16:19] == ":60"
    if leap:
        text = text[:16] + ":59" + text[19:]
    elif text == value:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _micros(moment, int(leap))
