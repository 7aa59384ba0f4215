"""Consent that ends by itself: whoever was told under it is told that it ended, though no call came."""

import random
import time
from collections.abc import Sequence

from identity.planning.resolution.plan import UPSERT
from identity.spaces.space import Space, Spaces
from identity.store.destinations import disclosures, feed
from identity.store.postgres.rows import ChangeRow
from identity.store.spaces import spaces_and_keys
from identity.values.calls import DAY
from identity.values.errors import OnefoldError
from identity.values.stamps import SLOT_BITS

PAGE = 1_000


async def announce_lapsed(spaces: Spaces) -> int:
    """Puts into the feed everybody of whom something was told that may be told no more; how many."""
    now, announced = time.time_ns() // 1000, 0
    passed: list[int] = []
    while True:
        async with spaces.database.reading() as connection:
            lapsed = await disclosures.lapsed(connection, now, PAGE, passed)
        for space_id, origins in lapsed.items():
            try:
                space = await spaces.get(space_id)
            except OnefoldError:
                # Closed, or not in order: nothing of it is served either, and it must not keep the others waiting.
                passed.append(space_id)
                continue
            announced += await _announce(space, origins, now)
        if not lapsed or lapsed.keys() - set(passed):
            return announced


async def _announce(space: Space, origins: Sequence[bytes], now: int) -> int:
    """The same for some origins of a space."""
    async with space.database.transaction() as connection:
        found = await disclosures.announce(connection, space.tenant, origins, now)
        # It changed now: what bore the stamp of their last call might be forgotten before it is read.
        changes = [ChangeRow(UPSERT, row.version, now << SLOT_BITS, row.canonical, None) for row in found]
        if changes:
            lane = random.randrange(spaces_and_keys.LANES)  # noqa: S311 (spreads, guards nothing)
            await feed.append(connection, space.tenant, lane, changes)
    return len(found)


async def forget_told(spaces: Spaces, days: int) -> None:
    """Forgets entries of the feed that are older than they are kept, lane by lane, in small steps."""
    before = (time.time_ns() // 1000 - days * DAY) << SLOT_BITS
    async with spaces.database.reading() as connection:
        rows = await spaces_and_keys.list_spaces(connection)
    for row in rows:
        try:
            space = await spaces.get(row.id)
        except OnefoldError:
            continue
        for lane in range(spaces_and_keys.LANES):
            gone = PAGE
            while gone == PAGE:
                async with space.database.transaction() as connection:
                    gone = await feed.forget(connection, space.tenant, lane, before, PAGE)
