"""Reads the event time of a call, corrected by the error of the sender's clock.

An event time is never later than the receipt, since a time in the future would win over every later call. A
timestamp that is no time, or that lies ahead of the receipt by more than clocks differ, is named, and the call happened
when it was received. All times are microseconds since
1970 (UTC) within the years 1 to 9999, and may be negative.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from identity.values.calls import DAY, MICRO
from identity.values.stamps import Micros
from identity.values.timestamps import EARLIEST, LATEST, parse_iso, parse_timestamp

_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (an offset of zero would be printed as one)
_CLIENT_TIMES: Final = ("originalTimestamp", "timestamp")

CLOCK_ERROR: Final = 300 * MICRO
"""How far ahead of the receipt a time may lie because the clock of its sender is fast."""
LONGEST_WAIT: Final = DAY
"""How long a call may have waited in a sender whose clock is fast; of a longer wait the sending time is the fault."""

parse_time = parse_iso


def parse_query_time(text: str) -> Micros | None:
    """A time in a query, where a plus sign that is not encoded as %2B arrives as a blank."""
    time = parse_time(text)
    if time is None:
        head, _, zone = text.rpartition(" ")
        time = parse_time(f"{head}+{zone}")
    return time


class EventTime(NamedTuple):
    """The event time of a call, and the fields of the call whose timestamp is no time.

    `guessed`: the call states when it happened and no statement is readable, so the receipt takes its place.
    `future` is the field whose time lies ahead of the receipt, which takes its place too.
    """

    time: Micros
    ignored: tuple[str, ...] = ()
    guessed: bool = False
    future: str | None = None


def event_time(body: Mapping[str, Any], received: Micros, sent_at: object) -> EventTime:
    """The event time of a call: `received` less the time that the call waited in the sender, never later.

    The client time is `originalTimestamp`, else `timestamp`. `sent_at` is the sending time of the envelope; the
    `sentAt` of the call overrides it. Without a client time the event time is `received`, without a sending
    time the client time. A sending time that alone lies ahead of the receipt, by more than a wait explains, corrects
    nothing.
    """
    ignored: tuple[str, ...] = ()
    client = field = None
    for name in _CLIENT_TIMES:
        given = body.get(name)
        if given is None:
            continue
        read = parse_timestamp(given)
        if read is None:
            ignored += (name,)
        elif client is None:
            client, field = read, name
    sent = None
    for given in (body.get("sentAt"), sent_at):
        if given is not None and sent is None:
            sent = parse_timestamp(given)
            if sent is None and "sentAt" not in ignored:
                ignored += ("sentAt",)
    if client is None:
        return EventTime(received, ignored, guessed=any(name in ignored for name in _CLIENT_TIMES))
    latest = received + CLOCK_ERROR
    if sent is not None and client <= latest < sent and sent - client > LONGEST_WAIT:
        # The client time is plausible by itself; corrected by such a sending time, it would lie far in the past.
        return EventTime(min(client, received), ignored, future="sentAt")
    time = client if sent is None else Micros(received - (sent - client))
    future = field if time > latest else None
    return EventTime(min(max(time, EARLIEST), received), ignored, future=future)


def format_time(micros: Micros) -> str:
    """RFC 3339 in UTC with milliseconds (cut, not rounded) and `Z`."""
    # Every answer formats many times; positional arguments take a third less time.
    moment = _NAIVE_EPOCH + timedelta(0, 0, min(max(micros, EARLIEST), LATEST))
    return moment.isoformat("T", "milliseconds") + "Z"
