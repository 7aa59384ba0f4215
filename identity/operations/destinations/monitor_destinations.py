"""Finds who does not do what they were told: erasures past their date, and destinations that never acknowledge.

Any process may look at any time. What is found is only written down: whoever acknowledges later is not
behind any more, and an erasure that was overdue is done then.
"""

import time

from identity.planning.destinations.feed_pages import Position, further, pack
from identity.spaces.space import Spaces
from identity.store.destinations import deliveries, feed, overdue_destinations
from identity.store.destinations.overdue_destinations import Counted, StandingRow
from identity.store.privacy import erasure_notices
from identity.values.calls import DAY
from identity.values.errors import OnefoldError

GRACE = 30 * DAY
"""What a destination has for an erasure that no law gives a date."""
PATIENCE = 7 * DAY
"""For how long a destination may be behind."""
PAGE = 1_000
_STEPS = 100


async def find_overdue(spaces: Spaces, now: int | None = None) -> Counted:
    """Writes down what is overdue by now (microseconds); how much there is in all."""
    now = time.time_ns() // 1000 if now is None else now
    async with spaces.database.reading() as connection:
        while await erasure_notices.fall_due(connection, now, GRACE, PAGE) == PAGE:
            pass
        standing = await overdue_destinations.every(connection)
    for row in standing:
        await _look(spaces, row)
    async with spaces.database.reading() as connection:
        return await overdue_destinations.count(connection, now - PATIENCE)


async def _look(spaces: Spaces, row: StandingRow) -> None:
    """Since when a destination is behind; what it need not acknowledge is not looked at again."""
    after = further(row.acked, row.watched)
    if row.behind_at is None and sum(after.values()) == row.entries:
        return
    try:
        space = await spaces.get(row.space_id)
    except OnefoldError:
        return
    async with space.database.reading() as connection:
        lanes = await feed.lanes(connection, space.tenant)
        after = {each.lane: max(each.base, after.get(each.lane, 0)) for each in lanes}
        for _ in range(_STEPS):
            looked = await overdue_destinations.oldest(connection, space.tenant, row.destination, after, PAGE)
            if looked.oldest is not None or not looked.lanes:
                break
            after |= looked.lanes
        place = pack(Position(0, 0, 0, None, after))
        await deliveries.watch(connection, space.tenant, row.destination, place, looked.oldest)
