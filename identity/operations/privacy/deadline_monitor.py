"""Watches the clocks of requests, which run from receipt, also under a hold, until they are answered.

A request that is at risk or overdue is told of once, whichever process finds it first; one that is
given more time may be told of again.
"""

import time
from collections import Counter
from typing import Final

import structlog

from identity.planning.privacy.deadlines import clock, due
from identity.spaces.space import Spaces
from identity.store.privacy import requests
from identity.values.enums import RequestKind, RequestState, Timeliness
from identity.values.ids import public

KINDS: Final = ("erasure", "access")
_TOLD: Final = {Timeliness.AT_RISK: RequestState.AT_RISK, Timeliness.OVERDUE: RequestState.OVERDUE}
_log = structlog.get_logger(__name__)


async def watch(spaces: Spaces) -> Counter[tuple[str, str]]:
    """How many requests of all spaces are not answered yet, by kind and clock."""
    now = time.time_ns() // 1000
    counted: Counter[tuple[str, str]] = Counter({(kind, state): 0 for kind in KINDS for state in Timeliness})
    async with spaces.database.reading() as connection:
        found = await requests.unanswered(connection)
    for each in found:
        due_at = due(each.regulation, each.received_at) if each.kind == RequestKind.ACCESS else each.due_at
        state = clock(each.received_at, due_at, now)
        counted[KINDS[each.kind == RequestKind.ACCESS], state] += 1
        if state != Timeliness.ON_TIME and each.state < _TOLD[state]:
            async with spaces.database.transaction() as connection:
                first = await requests.advance_state(connection, each.space_id, each.id, _TOLD[state])
            if first:
                told = {"space": public("spc", each.space), "request": public("req", each.id)}
                (_log.error if state == Timeliness.OVERDUE else _log.warning)(f"request.{state}", **told)
    return counted
