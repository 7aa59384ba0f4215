"""The status of a destination: what it may see, how far it is in its feed, and whether a restore paused it."""

from typing import Final, Literal

from msgspec import Struct

from identity.operations.destinations.destination_document import open_document
from identity.operations.destinations.monitor_destinations import OVERDUE_AFTER
from identity.planning.destinations.feed_pages import furthest
from identity.planning.destinations.policy import Entitled
from identity.spaces.space import Space
from identity.store.destinations import deliveries, feed, overdue_destinations
from identity.store.destinations.destinations import DestinationRow
from identity.store.privacy import erasure_notices
from identity.values.ids import DestinationId
from identity.values.stamps import Micros, wall_time

_ENTRIES_CHECKED: Final = 1_000
PushState = Literal["off", "working", "failing", "dead"]


class DestinationStatus(Struct, frozen=True, kw_only=True):
    """A destination, what it may see, and its progress. Times are microseconds.

    `behind_since` is the time of the oldest change not acknowledged about a person disclosed before;
    `overdue` says that this was too long ago, `paused` that nobody resumed the destination since a restore.
    """

    id: DestinationId
    name: str
    version: int
    entitled: Entitled
    acknowledged_at: Micros | None
    pushed_at: Micros | None
    push: PushState
    erasures_waiting: int
    behind_since: Micros | None
    overdue: bool
    paused: bool


async def destination_status(space: Space, row: DestinationRow) -> DestinationStatus:
    """The status of a destination now."""
    entitled = open_document(space, row).entitled
    now = wall_time()
    async with space.database.reading() as connection:
        delivery = await deliveries.get(connection, space.tenant, row.id)
        waiting = await erasure_notices.count_unacknowledged(connection, space.tenant, row.id)
        lanes = {each.lane: each.base for each in await feed.lanes(connection, space.tenant)}
        known = furthest(delivery.acked, delivery.watched)
        after = {lane: max(base, known.get(lane, 0)) for lane, base in lanes.items()}
        since = (
            await overdue_destinations.oldest_unacknowledged(connection, space.tenant, row.id, after, _ENTRIES_CHECKED)
        ).oldest
    return DestinationStatus(
        id=row.public_id,
        name=row.name,
        version=row.version,
        entitled=entitled,
        acknowledged_at=delivery.acked_at,
        pushed_at=delivery.pushed_at,
        push=_push_state(entitled, delivery),
        erasures_waiting=waiting,
        behind_since=since,
        overdue=since is not None and since < now - OVERDUE_AFTER,
        paused=space.heads.is_paused(row.public_id),
    )


def _push_state(entitled: Entitled, delivery: deliveries.DeliveryRow) -> PushState:
    if entitled.callback_url is None:
        return "off"
    if delivery.dead_at is not None:
        return "dead"
    return "failing" if delivery.attempts else "working"
