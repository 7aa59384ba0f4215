"""The standing work of privacy: finishes what was interrupted, and forgets what is not needed any more.

Every process may do it at any time: an erasure that is done is found done. What destinations have to
be told is kept no longer than until they all know, or have had 30 days more than the law gives.
"""

import time

import structlog

from identity.operations.privacy.request_erasure import perform
from identity.spaces.space import Spaces
from identity.store.privacy import erase, erasure_notices, erasures, suppressions
from identity.values.calls import DAY, MICRO
from identity.values.errors import OnefoldError

# A request that is younger is still being worked on by whoever took it.
PATIENCE = 60 * MICRO
AFTER_DUE = 30 * DAY
LATE = 30 * DAY
"""For how long calls from before an erasure may come in late."""
PAGE = 1_000
_log = structlog.get_logger(__name__)


async def finish_interrupted(spaces: Spaces, patience: int = PATIENCE) -> int:
    """Finishes requests whose taker is gone; how many there were."""
    before = time.time_ns() // 1000 - patience
    async with spaces.database.reading() as connection:
        found = await erasures.unfinished(connection, before, PAGE)
    for space_id, request_id in found:
        try:
            await perform(await spaces.get(space_id), request_id)
        except OnefoldError as error:
            # One that cannot be finished must not keep the others waiting.
            _log.warning("erasure.waits", code=error.code)
    return len(found)


async def forget_settled(spaces: Spaces) -> int:
    """Destroys what was set aside for destinations that all know by now; how many erasures were closed."""
    now = time.time_ns() // 1000
    closed = 0
    async with spaces.database.reading() as connection:
        settled = await erasure_notices.list_settled(connection, now, now - AFTER_DUE, PAGE)
    for space_id, erasure_id in settled:
        space = await spaces.get(space_id)
        async with space.database.transaction() as connection:
            if await erasure_notices.close(connection, space.tenant, erasure_id, now):
                await erase.destroy_key(connection, space.tenant, erasure_id)
                closed += 1
    async with spaces.database.reading() as connection:
        await suppressions.delete_expired(connection, now - LATE)
    return closed
