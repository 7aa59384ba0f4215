"""Calculates the deadlines of privacy requests by law.

Deadlines run from receipt and never pause. Times are microseconds, and a due date is the end of a day in UTC. GDPR
(art. 12(3)) sets the same day of the next month, or its last day, and allows one extension by two months. CCPA (regs.
7021) sets 45 days, one extension by 45 days and confirmation within ten business days.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from identity.values.calls import MICRO
from identity.values.enums import Law, Timeliness
from identity.values.stamps import Micros

CCPA_DAYS: Final = 45
CONFIRM_DAYS: Final = 10
"""Business days within which receipt of a request under the CCPA has to be confirmed."""
AT_RISK: Final = 0.7
IN_FORCE: Final = {Law.GDPR: date(2018, 5, 25), Law.CCPA: date(2020, 1, 1)}
"""The first day of each law: nobody can have asked for a right of the law before this day."""


def due_date(regulation: int, received_at: Micros) -> Micros | None:
    """The due date of a request; None where no law sets one."""
    if regulation == Law.GDPR:
        return _end(_months_on(_day(received_at), 1))
    if regulation == Law.CCPA:
        return _end(_day(received_at) + timedelta(days=CCPA_DAYS))
    return None


def in_force_since(regulation: Law) -> Micros:
    """The first moment of a law, in UTC."""
    return Micros(int(datetime.combine(IN_FORCE[regulation], time.min, UTC).timestamp()) * MICRO)


def extended_due_date(regulation: int, received_at: Micros) -> Micros:
    """The due date after the one extension the law allows; ValueError under a law without due dates."""
    if regulation == Law.GDPR:
        return _end(_months_on(_day(received_at), 3))
    if regulation == Law.CCPA:
        return _end(_day(received_at) + timedelta(days=2 * CCPA_DAYS))
    message = "no due date"
    raise ValueError(message)


def confirm_by(regulation: int, received_at: Micros) -> Micros | None:
    """The deadline to confirm receipt: ten business days under the CCPA, None under any other law."""
    if regulation != Law.CCPA:
        return None
    day, left = _day(received_at), CONFIRM_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5  # noqa: PLR2004 (Saturday and Sunday)
    return _end(day)


def timeliness_of(received_at: Micros, due_at: Micros | None, now: Micros) -> Timeliness:
    """The timeliness of a request: at risk from 70 % of the time to its due date, overdue from the due date."""
    if due_at is None or now < received_at + AT_RISK * (due_at - received_at):
        return Timeliness.ON_TIME
    return Timeliness.AT_RISK if now < due_at else Timeliness.OVERDUE


def _day(moment: Micros) -> datetime:
    return datetime.fromtimestamp(moment // MICRO, UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _end(day: datetime) -> Micros:
    return Micros(int((day + timedelta(days=1)).timestamp()) * MICRO - 1)


def _months_on(day: datetime, months: int) -> datetime:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))
