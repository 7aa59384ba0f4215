"""Ends consent that expires by itself, and deletes feed entries past their retention.

A disclosure under an expired grant gets an entry in the feed although no call arrived, so destinations
learn that the profile is withdrawn.
"""

import random
from collections.abc import Sequence
from typing import Final

from identity.spaces.space import Space, Spaces
from identity.store.destinations import disclosures, feed
from identity.store.postgres.rows import ChangeRow
from identity.store.spaces import spaces_and_keys
from identity.values.calls import DAY
from identity.values.enums import FeedOperation
from identity.values.errors import OnefoldError
from identity.values.ids import ProfileId, SpaceNumber
from identity.values.stamps import Micros, first_stamp, wall_time

PAGE: Final = 1_000


async def announce_expired(spaces: Spaces) -> int:
    """Add the profiles with an expired disclosure to the feeds of their spaces; returns how many."""
    now, announced = wall_time(), 0
    skipped: list[int] = []
    while True:
        async with spaces.database.of_all_spaces.reading() as connection:
            expired = await disclosures.expired_consents(connection, now, PAGE, skipped)
        for space_id, origins in expired.items():
            try:
                space = await spaces.get(SpaceNumber(space_id))
            except OnefoldError:
                # A closed or damaged space serves nothing, and must not keep the others waiting.
                skipped.append(space_id)
                continue
            announced += await _announce(space, origins, now)
        if not expired or expired.keys() - set(skipped):
            return announced


async def _announce(space: Space, origins: Sequence[ProfileId], now: Micros) -> int:
    async with space.database.transaction() as connection:
        found = await disclosures.raise_versions(connection, space.tenant, origins, now)
        # The change is of now: an entry with the stamp of the last call might be past its retention.
        changes = [
            ChangeRow(
                op=FeedOperation.UPSERT, version=row.version, stamp=first_stamp(now), profile=row.canonical, other=None
            )
            for row in found
        ]
        if changes:
            lane = random.randrange(spaces_and_keys.LANES)  # noqa: S311 (spreads, guards nothing)
            await feed.append(connection, space.tenant, lane, changes)
    return len(found)


async def forget_entries(spaces: Spaces, days: int) -> None:
    """Delete feed entries older than their retention, lane by lane, in small steps."""
    before = first_stamp(Micros(wall_time() - days * DAY))
    async with spaces.database.of_all_spaces.reading() as connection:
        rows = await spaces_and_keys.list_spaces(connection)
    for row in rows:
        try:
            space = await spaces.get(row.id)
        except OnefoldError:
            continue
        for lane in range(spaces_and_keys.LANES):
            deleted = PAGE
            while deleted == PAGE:
                async with space.database.transaction() as connection:
                    deleted = await feed.trim(connection, space.tenant, lane, before, PAGE)
