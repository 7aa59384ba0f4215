"""When a call happened, by its own clock corrected to ours.

No time read from a call is ever later than its receipt, so nobody can write into the future and
win over everything that follows. What cannot be read counts as absent. All times are
microseconds since 1970 (UTC), within the years 1 to 9999, and may be negative.
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
    """The microseconds of an ISO 8601 or RFC 3339 time, or None if it is none.

    Taken as well: a date alone (midnight), a space or small letter for `T`, small `z`, a missing
    zone (UTC), fractions of any length (cut to microseconds), a leap second (the next second).
    A number is none: it says neither its unit nor where it counts from.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _parse_rare(value)
    return _micros(moment, 0)


def event_time(body: Mapping[str, Any], received: int, sent_at: int | None) -> int:
    """When the call happened: `received` less the time it waited in the sender, never later.

    The client time is `originalTimestamp`, else `timestamp`. `sent_at` is the time of sending of
    the envelope, which the call's own `sentAt` overrides. Without a client time it is `received`,
    with none of sending it is the client time as it stands.
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
    moment = _NAIVE_EPOCH + timedelta(microseconds=min(max(micros, EARLIEST), LATEST))
    return moment.isoformat(timespec="milliseconds") + "Z"


def _micros(moment: datetime, more_seconds: int) -> int | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    seconds = since.days * _DAY_SECONDS + since.seconds + more_seconds
    micros = seconds * MICRO + since.microseconds
    return micros if EARLIEST <= micros <= LATEST else None


def _parse_rare(value: str) -> int | None:
    """The forms that are allowed and that `fromisoformat` does not know."""
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
