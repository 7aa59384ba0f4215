"""Calls the controllers of requests that are done, at least once, as they asked for when they made them.

Each call tells the status as it is at that moment. What fails is tried again for a week.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog

from identity.planning.destinations.retry import next_attempt
from identity.planning.privacy.opendsr import ENDED
from identity.spaces.space import Space, Spaces
from identity.store.privacy import status_callbacks
from identity.values.calls import MICRO
from identity.values.errors import BadCallback, OnefoldError, Undelivered
from identity.webhooks.client import Client

PAGE = 100
AT_ONCE = 8
LOOK = 20 * MICRO
LEASE = 60 * MICRO
_TAKEN = range(200, 300)
_log = structlog.get_logger(__name__)

Status = Callable[[Space, bytes], Awaitable[tuple[dict[str, Any], Sequence[str]]]]
"""The status of a request (by its id) as it is told, and the addresses to tell it to."""


async def call_done(spaces: Spaces, client: Client, status: Status, now: int | None = None) -> int:
    """Calls whoever waits for a request that is done by now (microseconds); how many requests were looked at."""
    async with spaces.database.reading() as connection:
        found = await status_callbacks.due(connection, time.time_ns() // 1000 if now is None else now, PAGE)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(space_id: int, id_: bytes) -> None:
        async with at_once:
            try:
                space = await spaces.get(space_id)
            except OnefoldError:
                # Closed, or not in order: nothing of it is told either.
                return
            try:
                await _call(space, id_, client, status, now)
            except OnefoldError as error:
                _log.warning("status_call.waits", space=space_id, code=error.code)

    await asyncio.gather(*(one(*each) for each in found))
    return len(found)


async def _call(space: Space, id_: bytes, client: Client, status: Status, now: int | None) -> None:
    at = time.time_ns() // 1000 if now is None else now
    async with space.database.reading() as connection:
        claim = await status_callbacks.claim(connection, space.tenant, id_, at, at + LEASE)
    if claim is None:
        return
    told, urls = await status(space, id_)
    if told["request_status"] not in ENDED:
        async with space.database.reading() as connection:
            await status_callbacks.settle(connection, space.tenant, id_, at + LOOK, None)
        return
    taken = await asyncio.gather(*(_taken(client, url, told) for url in urls))
    following, failed_at = None, None
    if not all(taken):
        failed_at = at
        begun = at if claim.first_failed_at is None else claim.first_failed_at
        following = next_attempt(begun, claim.failed + 1, at, random.random())  # noqa: S311 (spreads, guards nothing)
        if following is None:
            _log.error("status_call.given_up", space=space.tenant.id, count=taken.count(False))
    async with space.database.reading() as connection:
        await status_callbacks.settle(connection, space.tenant, id_, following, failed_at)


async def _taken(client: Client, url: str, told: dict[str, Any]) -> bool:
    try:
        answer = await client.post(url, msgspec.json.encode({**told, "status_callback_url": url}), {})
    except (BadCallback, Undelivered):
        return False
    return answer.status in _TAKEN
