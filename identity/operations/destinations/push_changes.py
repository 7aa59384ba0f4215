"""Sends destinations with a callback what the feed has for them, page by page, until they take it.

A page is made from the states of that moment each time it is sent, a repeated one too: nothing that
was to be sent is kept. That it was taken is written down afterwards, so what is cut off in between
is sent again, under the same id if it is the same page. Who takes nothing for seven days is given up
until somebody looks, and loses nothing: the entries stay in the feed.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import structlog

from identity.planning.destinations.feed_pages import Message, between, stands, starts
from identity.planning.destinations.policy import Kept
from identity.planning.destinations.retry import next_attempt
from identity.spaces.space import Space, Spaces
from identity.store.destinations import deliveries, destinations
from identity.store.destinations.deliveries import DeliveryRow
from identity.store.privacy import erasure_notices
from identity.values.calls import MICRO
from identity.values.errors import BadCallback, OnefoldError, Undelivered
from identity.values.ids import public
from identity.vault.seal import DESTINATION
from identity.webhooks.client import Client
from identity.webhooks.signing import sign

LIMIT = 100
"""Entries of the feed in one message."""
PAGES = 50
"""Messages in a row; then those come who were due meanwhile."""
LEASE = 30 * MICRO
PAUSE = 5 * MICRO
AT_ONCE = 16
_NEVER = (1 << 63) - 1
_TAKEN = range(200, 300)
_MESSAGE = b"push"
_kept = msgspec.json.Decoder(Kept)
_log = structlog.get_logger(__name__)

Pull = Callable[[Space, str, bytes | None, int], Awaitable[Message]]
"""The page of a destination after a place, at most so many entries of the feed."""


def _now() -> int:
    return time.time_ns() // 1000


class Pushing:
    """What sends in this process; `aclose` it. `now` tells the time, in microseconds."""

    def __init__(self, spaces: Spaces, client: Client, pull: Pull, now: Callable[[], int] = _now) -> None:
        self._spaces = spaces
        self._client = client
        self._pull = pull
        self._now = now
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._sending: dict[bytes, asyncio.Task[None]] = {}

    async def turn(self) -> None:
        """Begins to send to everybody who is due; one that is slow keeps nobody else waiting."""
        async with self._spaces.database.reading() as connection:
            found = await deliveries.due(connection, self._now())
        for row in found:
            if row.public_id in self._sending or stands(row.pushed, row.version, row.purposes, row.entries):
                continue
            task = asyncio.create_task(self._send_all(row.space_id, row.public_id))
            self._sending[row.public_id] = task
            task.add_done_callback(partial(self._sent, row.public_id))

    def _sent(self, id_: bytes, _task: asyncio.Task[None]) -> None:
        self._sending.pop(id_, None)

    async def aclose(self) -> None:
        """Ends what is being sent; another process sends it again."""
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, space_id: int, id_: bytes) -> None:
        try:
            async with self._at_once:
                space = await self._spaces.get(space_id)
                for _ in range(PAGES):
                    if not await self.send(space, id_):
                        break
        except OnefoldError:
            # Gone, closed, or not in order: nothing of it is served either.
            return
        except Exception as error:  # noqa: BLE001 (whatever it is, the claim ends and the next turn comes)
            _log.error("push.failed", exc_info=error)

    async def send(self, space: Space, id_: bytes) -> bool:
        """Sends a destination (by its public id) the next page, if there is one; whether there may be more."""
        began = self._now()
        row = await _row(space, id_)
        async with space.database.reading() as connection:
            claim = await deliveries.claim(connection, space.tenant, row.id, began, began + LEASE)
        if claim is None:
            return False
        if _open(space, row).entitled.callback_url is None:
            # Whoever gives it one has it looked at again.
            return await self._rest(space, row.id, claim, _NEVER)
        try:
            return await self._send(space, row.id, id_, claim)
        except OnefoldError as error:
            # It is not the destination's fault, so it does not count as one.
            _log.warning("push.waits", space=space.tenant.id, code=error.code)
            return await self._rest(space, row.id, claim, self._now() + PAUSE)

    async def _send(self, space: Space, destination: int, id_: bytes, claim: DeliveryRow) -> bool:
        start = claim.pushed or claim.acked
        page = await self._pull(space, public("dst", id_), start, LIMIT)
        # Read once more: what was changed while the page was made holds for it.
        kept = _open(space, await _row(space, id_))
        if start == page.place or kept.entitled.callback_url is None:
            return await self._rest(space, destination, claim, self._now())
        if not page.changes and not (start and starts(start)):
            async with space.database.reading() as connection:
                now = self._now()
                return await deliveries.moved(connection, space.tenant, destination, page.place, now, claim.next_at)
        refused = await self._post(space, id_, kept, start or b"", page)
        if refused is None:
            return await self._taken(space, destination, claim, page)
        return await self._refused(space, destination, claim, refused)

    async def _post(self, space: Space, id_: bytes, kept: Kept, start: bytes, page: Message) -> str | None:
        """Why a page was not taken; None where it was, whatever else was answered."""
        told = {"destination_id": public("dst", id_), "changes": page.changes, "cursor": page.cursor}
        body = msgspec.json.encode(told | ({"resync": True} if starts(start) else {}))
        message = "msg_" + space.keys.mac(_MESSAGE, id_ + start + page.place).hex()
        try:
            headers = sign(kept.secrets, message, self._now(), body)
            answer = await self._client.post(kept.entitled.callback_url or "", body, headers)
        except (BadCallback, Undelivered) as error:
            return error.code
        return None if answer.status in _TAKEN else f"status_{answer.status}"

    async def _taken(self, space: Space, destination: int, claim: DeliveryRow, page: Message) -> bool:
        now = self._now()
        told, since = between(claim.pushed or claim.acked, page.place)
        async with space.database.transaction() as connection:
            moved = await deliveries.sent(connection, space.tenant, destination, page.place, now, claim.next_at)
            if moved:
                await erasure_notices.accepted(connection, space.tenant, destination, told, since, now)
        return moved

    async def _refused(self, space: Space, destination: int, claim: DeliveryRow, reason: str) -> bool:
        now = self._now()
        begun = now if claim.first_failed_at is None else claim.first_failed_at
        following = next_attempt(begun, claim.attempts + 1, now, random.random())  # noqa: S311 (spreads, guards nothing)
        async with space.database.transaction() as connection:
            ours = await deliveries.failed(connection, space.tenant, destination, now, following, claim.next_at)
            owed = 0
            if ours and following is None:
                owed = await erasure_notices.overdue(connection, space.tenant, destination, now)
        if ours and following is None:
            _log.error("push.dead", space=space.tenant.id, reason=reason, count=owed)
        elif ours:
            _log.info("push.refused", space=space.tenant.id, reason=reason, retries=claim.attempts + 1)
        return False

    async def _rest(self, space: Space, destination: int, claim: DeliveryRow, following: int) -> bool:
        async with space.database.reading() as connection:
            await deliveries.release(connection, space.tenant, destination, following, claim.next_at)
        return False


async def _row(space: Space, id_: bytes) -> destinations.DestinationRow:
    async with space.database.reading() as connection:
        return (await destinations.policy(connection, space.tenant, id_)).destination


def _open(space: Space, row: destinations.DestinationRow) -> Kept:
    return _kept.decode(space.keys.open(DESTINATION, row.public_id, row.version, row.document))
