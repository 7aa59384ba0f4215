"""Flags erasures past their deadline and destinations that stopped acknowledging.

Any process may check at any time. A flag records a state and changes nothing else: a destination that
acknowledges later is no longer behind, and its overdue erasures are done then.
"""

from typing import Final

from identity.planning.destinations.feed_pages import Position, furthest, pack
from identity.spaces.space import Spaces
from identity.store.destinations import deliveries, feed, overdue_destinations
from identity.store.destinations.overdue_destinations import DestinationPositionRow, OverdueCounts
from identity.store.privacy import erasure_notices
from identity.values.calls import DAY
from identity.values.errors import OnefoldError
from identity.values.stamps import Micros, wall_time

GRACE: Final = Micros(30 * DAY)
"""Time to acknowledge an erasure for which no law sets a deadline."""
OVERDUE_AFTER: Final = 7 * DAY
"""Time to acknowledge a change."""
PAGE: Final = 1_000
_STEPS: Final = 100


async def find_overdue(spaces: Spaces, now: Micros | None = None) -> OverdueCounts:
    """Flag whatever is overdue at a time (microseconds, default: now) and count the flags of all spaces."""
    now = wall_time() if now is None else now
    async with spaces.database.of_all_spaces.reading() as connection:
        while await erasure_notices.mark_past_deadline(connection, now, GRACE, PAGE) == PAGE:
            pass
        rows = await overdue_destinations.list_positions(connection)
    for row in rows:
        await _check(spaces, row)
    async with spaces.database.of_all_spaces.reading() as connection:
        return await overdue_destinations.count(connection, Micros(now - OVERDUE_AFTER))


async def _check(spaces: Spaces, row: DestinationPositionRow) -> None:
    """Record since when a destination is behind; entries that need no acknowledgement are not read again."""
    acknowledged = furthest(row.acked, row.watched)
    if row.behind_at is None and sum(acknowledged.values()) == row.entries:
        return
    try:
        space = await spaces.get(row.space_id)
    except OnefoldError:
        return
    async with space.database.reading() as connection:
        heads = await feed.lanes(connection, space.tenant)
        lanes = {each.lane: max(each.base, acknowledged.get(each.lane, 0)) for each in heads}
        for _ in range(_STEPS):
            found = await overdue_destinations.oldest_unacknowledged(
                connection, space.tenant, row.destination, lanes, PAGE
            )
            if found.oldest is not None or not found.lanes:
                break
            lanes |= found.lanes
        packed_position = pack(
            Position(entitlement_version=0, purposes_version=0, began=Micros(0), after_profile=None, lanes=lanes)
        )
        await deliveries.set_watched(connection, space.tenant, row.destination, packed_position, found.oldest)
