"""What a destination says it has done: everything up to a place in the feed is applied there.

Erasures told up to that place are done at the destination from then on. A place only ever moves
forward; saying it again, or an older one, changes nothing. Nor does one on the way through everybody:
whoever begins anew was told of what went before only at the end of it.

Who has no key at hand says it in a message signed with the secret of its callback, which counts once.
"""

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from identity.planning.destinations.feed_pages import Position, between, pack, unpack
from identity.planning.destinations.policy import Kept
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space, Spaces
from identity.store.destinations import deliveries, destinations, feed
from identity.store.privacy import erasure_notices
from identity.values.calls import DAY
from identity.values.errors import CallbackRepeated, DestinationNotFound, InvalidSignature, Resync
from identity.values.ids import private
from identity.vault.seal import DESTINATION
from identity.webhooks.signing import verify

_kept = msgspec.json.Decoder(Kept)
_MESSAGE = b"callback"


async def acknowledge(
    space: Space, destination: int, position: Position, message: bytes | None = None
) -> dict[str, Any]:
    """Everything up to a place is applied by a destination (its number).

    `message` is the key of the signed message that says so. CallbackRepeated where it was taken before;
    Resync where the place is beyond the end: it is one in a database that was restored since.
    """
    now = time.time_ns() // 1000
    place = pack(position)
    async with space.database.transaction() as connection:
        heads = {lane.lane: lane.seq for lane in await feed.lanes(connection, space.tenant)}
        if any(seq > heads.get(lane, 0) for lane, seq in position.lanes.items()):
            raise Resync
        stands = await deliveries.lock(connection, space.tenant, destination)
        if message is not None and not await deliveries.take_message(
            connection, space.tenant, destination, message, now
        ):
            raise CallbackRepeated
        if position.after is not None:
            return {"acknowledged_at": format_time(now), "erasures": 0}
        before = None if stands.acked is None else unpack(stands.acked)
        told, since = between(stands.acked, place)
        done = await erasure_notices.acknowledge(
            connection, space.tenant, destination, told, since, now, sha256(place).digest()
        )
        if before is None or before.behind(position) or before.began < position.began:
            await deliveries.acknowledge(connection, space.tenant, destination, place, now)
    return {"acknowledged_at": format_time(now), "erasures": done}


async def signed(
    spaces: Spaces, destination_id: str, headers: Mapping[str, str], body: bytes, admit: Callable[[str], None]
) -> tuple[Space, bytes]:
    """Whose message this is, with the key under which it counts once. InvalidSignature, also for nobody's.

    `admit` raises what is to be answered where a destination that there is has sent too many.
    """
    id_ = private("dst", destination_id)
    async with spaces.database.reading() as connection:
        space_id = None if id_ is None else await destinations.space_of(connection, id_)
    if id_ is None or space_id is None:
        raise InvalidSignature
    admit(destination_id)
    space = await spaces.get(space_id)
    try:
        async with space.database.reading() as connection:
            row = (await destinations.policy(connection, space.tenant, id_)).destination
    except DestinationNotFound:
        raise InvalidSignature from None
    kept = _kept.decode(space.keys.open(DESTINATION, row.public_id, row.version, row.document))
    message = verify(kept.secrets, headers, body, time.time_ns() // 1000)
    return space, space.keys.mac(_MESSAGE, row.public_id + message.encode())


async def forget_messages(spaces: Spaces) -> None:
    """Forgets signed messages whose time to be taken is long over."""
    async with spaces.database.reading() as connection:
        await deliveries.forget_messages(connection, time.time_ns() // 1000 - DAY)
