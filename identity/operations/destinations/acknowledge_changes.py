"""Acknowledgements of a destination: everything up to a position in its feed is applied there.

An acknowledgement settles the erasures up to its position. Positions only move forward: repeating one, or
sending an older one, changes nothing. A position on the way through all profiles settles nothing, since
erasures from before that walk are only certain at its end.

A destination without a key at hand acknowledges in a message signed with its callback secret; each
message counts once.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256

from msgspec import Struct

from identity.operations.destinations.destination_document import open_document
from identity.operations.destinations.destination_rows import read_policy
from identity.planning.destinations.feed_pages import Position, entries_between, pack, unpack
from identity.spaces.space import Space, Spaces
from identity.store.destinations import deliveries, destinations, feed
from identity.store.privacy import erasure_notices
from identity.values.calls import DAY
from identity.values.errors import CallbackRepeated, DestinationNotFound, InvalidSignature, Resync
from identity.values.ids import DestinationNumber, SpaceNumber, private
from identity.values.stamps import Micros, wall_time
from identity.webhooks.signing import verify

_MESSAGE = b"callback"


class Acknowledgement(Struct, frozen=True):
    """When a position was acknowledged (microseconds), and how many erasures that settled."""

    at: Micros
    erasures: int


async def acknowledge_changes(
    space: Space, destination: DestinationNumber, position: Position, message: bytes | None = None
) -> Acknowledgement:
    """Record that a destination (its number) has applied everything up to a position.

    `message` is the key of the signed message that carries the acknowledgement. CallbackRepeated where that
    message counted before; Resync where the position is beyond the end of a database that was restored.
    """
    now = wall_time()
    packed_position = pack(position)
    async with space.database.transaction() as connection:
        heads = {lane.lane: lane.seq for lane in await feed.lanes(connection, space.tenant)}
        if any(seq > heads.get(lane, 0) for lane, seq in position.lanes.items()):
            raise Resync
        delivery = await deliveries.get_locked(connection, space.tenant, destination)
        if message is not None and not await deliveries.accept_message(
            connection, space.tenant, destination, message, now
        ):
            raise CallbackRepeated
        if position.after_profile is not None:
            return Acknowledgement(now, 0)
        before = None if delivery.acked is None else unpack(delivery.acked)
        lane_ranges, since = entries_between(delivery.acked, packed_position)
        settled = await erasure_notices.mark_acknowledged(
            connection, space.tenant, destination, lane_ranges, since, now, sha256(packed_position).digest()
        )
        if before is None or before.behind(position) or before.began < position.began:
            await deliveries.acknowledge(connection, space.tenant, destination, packed_position, now)
    return Acknowledgement(now, settled)


async def verify_message(
    spaces: Spaces, destination_id: str, headers: Mapping[str, str], body: bytes, admit: Callable[[str], None]
) -> tuple[Space, bytes]:
    """The space of a signed message and the key under which the message counts once.

    InvalidSignature, also where there is no such destination. `admit` raises where an existing destination
    has sent too many messages.
    """
    id_ = private("dst", destination_id)
    async with spaces.database.of_all_spaces.reading() as connection:
        space_id = None if id_ is None else await destinations.space_of(connection, id_)
    if id_ is None or space_id is None:
        raise InvalidSignature
    admit(destination_id)
    space = await spaces.get(SpaceNumber(space_id))
    try:
        row = (await read_policy(space, id_)).destination
    except DestinationNotFound:
        raise InvalidSignature from None
    message = verify(open_document(space, row).secrets, headers, body, wall_time())
    return space, space.keys.mac(_MESSAGE, row.public_id + message.encode())


async def forget_messages(spaces: Spaces) -> None:
    """Delete the records of signed messages that are too old to be accepted again."""
    async with spaces.database.of_all_spaces.reading() as connection:
        await deliveries.forget_messages(connection, Micros(wall_time() - DAY))
