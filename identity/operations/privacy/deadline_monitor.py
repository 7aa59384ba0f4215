"""Watches the deadlines of requests: of the answer, and under the CCPA of the confirmation of receipt.

Deadlines run from receipt, also during a hold, until the request is answered. Taking a request confirms
it: the answer says that it was received. A request that was interrupted before that answer is at risk once
its confirmation is late. Each request is reported once per state, by whichever process finds it first;
an extension allows another report.
"""

from collections import Counter
from typing import Final

import structlog

from identity.planning.privacy.deadlines import confirm_by, due_date, timeliness_of
from identity.spaces.space import Spaces
from identity.store.privacy import requests
from identity.store.privacy.requests import UnansweredRow
from identity.values.enums import RequestKind, RequestState, Timeliness
from identity.values.ids import public
from identity.values.stamps import Micros, wall_time

KINDS: Final = ("erasure", "access")
_REPORTED: Final = {Timeliness.AT_RISK: RequestState.AT_RISK, Timeliness.OVERDUE: RequestState.OVERDUE}
_log = structlog.get_logger(__name__)


async def monitor_deadlines(spaces: Spaces) -> Counter[tuple[str, str]]:
    """Report requests at risk or overdue, and count the unanswered requests of all spaces by kind and timeliness."""
    now = wall_time()
    counted: Counter[tuple[str, str]] = Counter({(kind, state): 0 for kind in KINDS for state in Timeliness})
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await requests.unanswered(connection)
    for each in found:
        state = _timeliness(each, now)
        counted[KINDS[each.kind == RequestKind.ACCESS], state] += 1
        if state != Timeliness.ON_TIME and each.state < _REPORTED[state]:
            async with spaces.database.of_space(each.space_id).transaction() as connection:
                first = await requests.advance_state(connection, each.space_id, each.id, _REPORTED[state])
            if first:
                log = _log.error if state == Timeliness.OVERDUE else _log.warning
                log(f"request.{state}", space=public("spc", each.space), request=public("req", each.id))
    return counted


def _timeliness(request: UnansweredRow, now: Micros) -> Timeliness:
    due_at = due_date(request.regulation, request.received_at) if request.kind == RequestKind.ACCESS else request.due_at
    state = timeliness_of(request.received_at, due_at, now)
    if state == Timeliness.ON_TIME and not request.confirmed:
        confirm_at = confirm_by(request.regulation, request.received_at)
        if confirm_at is not None and now > confirm_at:
            return Timeliness.AT_RISK
    return state
