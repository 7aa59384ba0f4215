"""Calls back the controllers of ended OpenDSR requests, at least once, at the addresses of the request.

Each call has the status of its moment. A failed call is repeated for a week.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog

from identity.operations.privacy.opendsr_status import OpenDsrStatus, opendsr_status
from identity.operations.privacy.read_requests import get_request
from identity.planning.destinations.retry import next_attempt
from identity.planning.privacy.opendsr import ENDED
from identity.spaces.space import Space, Spaces
from identity.store.privacy import status_callbacks
from identity.values.calls import MICRO
from identity.values.errors import BadCallback, OnefoldError, Undelivered
from identity.values.ids import RequestId, SpaceNumber, public
from identity.values.stamps import Micros, wall_time
from identity.webhooks.client import Client

PAGE: Final = 100
AT_ONCE: Final = 8
LOOK: Final = 20 * MICRO
LEASE: Final = 60 * MICRO
_ACCEPTED: Final = range(200, 300)
_log = structlog.get_logger(__name__)

Render = Callable[[OpenDsrStatus, str], bytes]
"""The body of a call with a status to an address."""


async def send_status_callbacks(spaces: Spaces, client: Client, render: Render, now: Micros | None = None) -> int:
    """Call back for requests that are due now (microseconds); returns how many requests were checked."""
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await status_callbacks.due(connection, wall_time() if now is None else now, PAGE)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(space_id: SpaceNumber, request_id: RequestId) -> None:
        async with at_once:
            try:
                space = await spaces.get(space_id)
            except OnefoldError:
                # A closed or damaged space serves nothing.
                return
            try:
                await _call_back(space, request_id, client, render, now)
            except OnefoldError as error:
                _log.warning(
                    "status_call.waits", space=space.name_in_logs, request=public("req", request_id), code=error.code
                )

    await asyncio.gather(*(one(*each) for each in found))
    return len(found)


async def _call_back(space: Space, request_id: RequestId, client: Client, render: Render, now: Micros | None) -> None:
    at = wall_time() if now is None else now
    async with space.database.reading() as connection:
        claim = await status_callbacks.claim(connection, space.tenant, request_id, at, Micros(at + LEASE))
    if claim is None:
        return
    request = await get_request(space, request_id)
    status = await opendsr_status(space, request)
    if status.word not in ENDED:
        async with space.database.reading() as connection:
            await status_callbacks.settle(connection, space.tenant, request_id, Micros(at + LOOK), None, claim.until)
        return
    urls = (request.details or {}).get("callbacks", ())
    accepted = await asyncio.gather(*(_post(client, url, render(status, url), space.public_id) for url in urls))
    following, failed_at = None, None
    if not all(accepted):
        failed_at = at
        begun = at if claim.first_failed_at is None else claim.first_failed_at
        following = next_attempt(begun, claim.failed + 1, at, random.random())  # noqa: S311 (spreads, guards nothing)
        if following is None:
            _log.error(
                "status_call.given_up",
                space=space.name_in_logs,
                request=public("req", request_id),
                count=accepted.count(False),
            )
    async with space.database.reading() as connection:
        await status_callbacks.settle(connection, space.tenant, request_id, following, failed_at, claim.until)


async def _post(client: Client, url: str, body: bytes, space: bytes) -> bool:
    """Whether an address accepted a call."""
    try:
        answer = await client.post(url, body, {}, space)
    except (BadCallback, Undelivered):
        return False
    return answer.status in _ACCEPTED
