"""Sends the feed to destinations with a callback, page by page, until each page is accepted.

Every attempt renders the page from the states of its moment, so no payload is ever stored. Acceptance is
recorded afterwards: a page cut off in between is sent again, under the same id if its position is the same.
A destination that accepts nothing for seven days is given up until an administrator resumes it, and loses
nothing, since the entries stay in the feed.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog

from identity.operations.destinations.destination_document import open_document
from identity.operations.destinations.destination_rows import read_policy
from identity.operations.destinations.read_changes import PushPage
from identity.planning.destinations.feed_pages import entries_between, is_beginning, is_up_to_date
from identity.planning.destinations.policy import StoredDestination
from identity.planning.destinations.retry import next_attempt
from identity.spaces.space import Space, Spaces
from identity.store.destinations import deliveries, destinations
from identity.store.destinations.deliveries import DeliveryRow
from identity.store.privacy import erasure_notices
from identity.values.calls import MICRO
from identity.values.errors import BadCallback, OnefoldError, Undelivered
from identity.values.ids import DestinationId, DestinationNumber, SpaceNumber, public
from identity.values.stamps import Micros, wall_time
from identity.webhooks.client import Client
from identity.webhooks.signing import OURS, sign

LIMIT = 100
"""Entries of the feed in one message."""
PAGES = 50
"""Messages in a row before other destinations get their turn."""
LEASE = 30 * MICRO
PAUSE = 5 * MICRO
AT_ONCE = 16
_NEVER: Final = Micros((1 << 63) - 1)
_ACCEPTED = range(200, 300)
_MESSAGE = b"push"
_log = structlog.get_logger(__name__)

Pull = Callable[[Space, str, bytes | None, int], Awaitable[PushPage]]
"""The page of a destination after a packed position, with a limit of feed entries."""
Render = Callable[[str, PushPage, bool], bytes]
"""The body of the message to a destination with a page; the flag says that the feed starts again (resync)."""


def _now() -> Micros:
    return wall_time()


class Pushing:
    """The sender of this process; `aclose` it. `now` is the clock, in microseconds."""

    def __init__(
        self, spaces: Spaces, client: Client, pull: Pull, render: Render, now: Callable[[], Micros] = _now
    ) -> None:
        self._spaces = spaces
        self._client = client
        self._pull = pull
        self._render = render
        self._now = now
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._sending: dict[bytes, asyncio.Task[None]] = {}

    async def turn(self) -> None:
        """Start sending to every destination that is due; a slow one keeps no other waiting."""
        async with self._spaces.database.of_all_spaces.reading() as connection:
            found = await deliveries.due(connection, self._now())
        for row in found:
            if row.public_id in self._sending or is_up_to_date(row.pushed, row.version, row.purposes, row.entries):
                continue
            task = asyncio.create_task(self._send_all(row.space_id, row.public_id))
            self._sending[row.public_id] = task
            task.add_done_callback(partial(self._sent, row.public_id))

    def _sent(self, id_: DestinationId, _task: asyncio.Task[None]) -> None:
        self._sending.pop(id_, None)

    async def aclose(self) -> None:
        """Stop sending; another process sends the interrupted pages again."""
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_all(self, space_id: SpaceNumber, id_: DestinationId) -> None:
        try:
            async with self._at_once:
                space = await self._spaces.get(space_id)
                for _ in range(PAGES):
                    if not await self.send(space, id_):
                        break
        except OnefoldError:
            # A closed or damaged space serves nothing.
            return
        except Exception as error:  # noqa: BLE001 (the claim expires and the next turn tries again)
            _log.error("push.failed", destination=public("dst", id_), exc_info=error)

    async def send(self, space: Space, id_: DestinationId) -> bool:
        """Send the next page, if there is one, to a destination (its id); returns whether there may be more."""
        began = self._now()
        row = await _row(space, id_)
        async with space.database.reading() as connection:
            claim = await deliveries.claim(connection, space.tenant, row.id, began, Micros(began + LEASE))
        if claim is None:
            return False
        if open_document(space, row).entitled.callback_url is None:
            # A change of the destination makes it due again.
            return await self._rest(space, row.id, claim, _NEVER)
        try:
            return await self._send(space, row.id, id_, claim)
        except OnefoldError as error:
            # The destination is not at fault, so this counts as no failure.
            _log.warning("push.waits", space=space.name_in_logs, destination=public("dst", id_), code=error.code)
            return await self._rest(space, row.id, claim, Micros(self._now() + PAUSE))

    async def _send(self, space: Space, destination: DestinationNumber, id_: DestinationId, claim: DeliveryRow) -> bool:
        packed_position = claim.pushed or claim.acked
        page = await self._pull(space, public("dst", id_), packed_position, LIMIT)
        # Read again: a change made while the page was built applies to it.
        document = open_document(space, await _row(space, id_))
        if packed_position == page.packed_position or document.entitled.callback_url is None:
            return await self._rest(space, destination, claim, self._now())
        if not page.changes and not (packed_position and is_beginning(packed_position)):
            async with space.database.reading() as connection:
                now = self._now()
                return await deliveries.skip_to(
                    connection, space.tenant, destination, page.packed_position, now, claim.next_at
                )
        failure = await self._post(space, id_, document, packed_position or b"", page)
        if failure is None:
            return await self._accepted(space, destination, claim, page)
        return await self._failed(space, destination, id_, claim, failure)

    async def _post(
        self, space: Space, id_: DestinationId, document: StoredDestination, packed_position: bytes, page: PushPage
    ) -> str | None:
        """Send a page and return why it was not accepted; None where the status says that it was."""
        body = self._render(public("dst", id_), page, is_beginning(packed_position))
        message = OURS + space.keys.mac(_MESSAGE, id_ + packed_position + page.packed_position).hex()
        try:
            headers = sign(document.secrets, message, self._now(), body)
            answer = await self._client.post(document.entitled.callback_url or "", body, headers, space.public_id)
        except (BadCallback, Undelivered) as error:
            return error.code
        return None if answer.status in _ACCEPTED else f"status_{answer.status}"

    async def _accepted(self, space: Space, destination: DestinationNumber, claim: DeliveryRow, page: PushPage) -> bool:
        now = self._now()
        lane_ranges, since = entries_between(claim.pushed or claim.acked, page.packed_position)
        async with space.database.transaction() as connection:
            moved = await deliveries.record_sent(
                connection, space.tenant, destination, page.packed_position, now, claim.next_at
            )
            if moved:
                await erasure_notices.mark_accepted(connection, space.tenant, destination, lane_ranges, since, now)
        return moved

    async def _failed(
        self, space: Space, destination: DestinationNumber, id_: DestinationId, claim: DeliveryRow, reason: str
    ) -> bool:
        now = self._now()
        begun = now if claim.first_failed_at is None else claim.first_failed_at
        following = next_attempt(begun, claim.attempts + 1, now, random.random())  # noqa: S311 (spreads, guards nothing)
        async with space.database.transaction() as connection:
            ours = await deliveries.record_failure(connection, space.tenant, destination, now, following, claim.next_at)
            owed = 0
            if ours and following is None:
                owed = await erasure_notices.mark_overdue(connection, space.tenant, destination, now)
        log = _log.bind(space=space.name_in_logs, destination=public("dst", id_), reason=reason)
        if ours and following is None:
            log.error("push.dead", count=owed)
        elif ours:
            log.info("push.refused", retries=claim.attempts + 1)
        return False

    async def _rest(self, space: Space, destination: DestinationNumber, claim: DeliveryRow, following: Micros) -> bool:
        async with space.database.reading() as connection:
            await deliveries.release(connection, space.tenant, destination, following, claim.next_at)
        return False


async def _row(space: Space, id_: DestinationId) -> destinations.DestinationRow:
    return (await read_policy(space, id_)).destination
