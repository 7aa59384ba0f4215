"""Watches the clocks of requests, which run from receipt, also under a hold, until they are answered.

A request that is at risk or overdue is told of once, whichever process finds it first; one that is
given more time may be told of again.
"""

import time
from collections import Counter
from typing import Final

import structlog

from identity.planning.privacy.deadlines import AT_RISK_NOW, CLOCKS, ON_TIME, OVERDUE_NOW, clock, due
from identity.planning.privacy.request_kinds import ACCESS
from identity.spaces.space import Spaces
from identity.store.privacy import requests
from identity.values.ids import public

KINDS: Final = ("erasure", "access")
_TOLD: Final = {AT_RISK_NOW: requests.AT_RISK, OVERDUE_NOW: requests.OVERDUE}
_log = structlog.get_logger(__name__)


async def watch(spaces: Spaces) -> Counter[tuple[str, str]]:
    """How many requests of all spaces are not answered yet, by kind and clock."""
    now = time.time_ns() // 1000
    counted = Counter({(kind, state): 0 for kind in KINDS for state in CLOCKS})
    async with spaces.database.reading() as connection:
        found = await requests.unanswered(connection)
    for each in found:
        due_at = due(each.regulation, each.received_at) if each.kind == ACCESS else each.due_at
        state = clock(each.received_at, due_at, now)
        counted[KINDS[each.kind == ACCESS], state] += 1
        if state != ON_TIME and each.state < _TOLD[state]:
            async with spaces.database.transaction() as connection:
                first = await requests.tell(connection, each.space_id, each.id, _TOLD[state])
            if first:
                told = {"space": public("spc", each.space), "request": public("req", each.id)}
                (_log.error if state == OVERDUE_NOW else _log.warning)(f"request.{state}", **told)
    return counted
