"""Times on the wire: RFC 3339 in UTC, null where there is none."""

from identity.planning.resolution.event_time import format_time


def time_or_null(moment: int | None) -> str | None:
    """A time (microseconds) as the API writes it."""
    return None if moment is None else format_time(moment)
