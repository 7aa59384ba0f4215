"""Carries out interrupted requests, and closes erasures that every destination has settled.

Any process may do so at any time, since a finished erasure stays as it is. Data kept for notices to
destinations goes once all have settled, or 30 days after the due date.
"""

from typing import Final

import structlog

from identity.operations.privacy.request_erasure import carry_out
from identity.spaces.space import Spaces
from identity.store.privacy import erase, erasure_notices, erasures, suppressions
from identity.values.calls import DAY, LATE, MICRO
from identity.values.errors import OnefoldError
from identity.values.ids import public
from identity.values.stamps import Micros, wall_time

INTERRUPTED_AFTER: Final = Micros(60 * MICRO)
"""A younger request still has the process that received it."""
AFTER_DUE: Final = 30 * DAY
PAGE: Final = 1_000
_log = structlog.get_logger(__name__)


async def resume_requests(spaces: Spaces, older_than: Micros = INTERRUPTED_AFTER) -> int:
    """Carry out requests that were interrupted; returns how many there were."""
    before = Micros(wall_time() - older_than)
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await erasures.unfinished(connection, before, PAGE)
    for space_id, request_id in found:
        try:
            await carry_out(await spaces.get(space_id), request_id)
        except OnefoldError as error:
            # A request that has to wait must not keep the others waiting.
            _log.warning(
                "erasure.waits",
                space=spaces.name_in_logs(space_id),
                request=public("req", request_id),
                code=error.code,
            )
    return len(found)


async def close_settled_erasures(spaces: Spaces) -> int:
    """Destroy what is kept for destinations that have all settled an erasure; returns how many were closed."""
    now = wall_time()
    closed = 0
    async with spaces.database.of_all_spaces.reading() as connection:
        settled = await erasure_notices.list_settled(connection, now, Micros(now - AFTER_DUE), PAGE)
    for space_id, erasure_id in settled:
        space = await spaces.get(space_id)
        async with space.database.transaction() as connection:
            if await erasure_notices.close(connection, space.tenant, erasure_id, now):
                await erase.destroy_key(connection, space.tenant, erasure_id)
                closed += 1
    async with spaces.database.of_all_spaces.reading() as connection:
        await suppressions.delete_expired(connection, Micros(now - LATE))
    return closed
