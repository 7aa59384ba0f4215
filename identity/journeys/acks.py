"""What a destination says it has done: everything up to a place in the feed is applied there.

Erasures told up to that place are done at the destination from then on. A place only ever moves
forward; saying it again, or an older one, changes nothing. Nor does one on the way through everybody:
whoever begins anew was told of what went before only at the end of it.
"""

import time
from hashlib import sha256
from typing import Any

from identity.errors import Resync
from identity.model import MICRO
from identity.planning.feed import Position, pack, unpack
from identity.planning.timing import format_time
from identity.spaces import Space
from identity.store import deliveries, feed, notices

ASTRAY = 3_600 * MICRO
"""How far clocks may be apart, and an erasure may take: a younger one is only settled by its own entry."""


async def acknowledge(space: Space, destination: int, position: Position) -> dict[str, Any]:
    """Everything up to a place is applied by a destination (its number).

    Resync where the place is beyond the end: it is one in a database that was restored since.
    """
    now = time.time_ns() // 1000
    if position.after is not None:
        return {"acknowledged_at": format_time(now), "erasures": 0}
    ack = sha256(pack(position)).digest()
    async with space.database.transaction() as connection:
        heads = {lane.lane: lane.seq for lane in await feed.lanes(connection, space.tenant)}
        if any(seq > heads.get(lane, 0) for lane, seq in position.lanes.items()):
            raise Resync
        stands = await deliveries.lock(connection, space.tenant, destination)
        before = None if stands.acked is None else unpack(stands.acked)
        known = {} if before is None else before.lanes
        told = [(lane, known.get(lane, 0), seq) for lane, seq in position.lanes.items() if seq > known.get(lane, 0)]
        # Whoever went through everybody anew keeps nobody who is not there any more.
        since = position.began - ASTRAY
        done = await notices.acknowledge(connection, space.tenant, destination, told, since, now, ack)
        if before is None or before.behind(position) or before.began < position.began:
            await deliveries.acknowledge(connection, space.tenant, destination, pack(position), now)
    return {"acknowledged_at": format_time(now), "erasures": done}
