"""Counts the profiles that a destination may see now, and by which check the others are kept out.

It discloses nothing and records nothing. Of a large space it looks at the oldest profiles only.
"""

from collections import Counter
from typing import Final

from identity.operations.destinations.destination_scope import open_scope
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import OpenedProfile
from identity.operations.profiles.recorded_withdrawals import add_recorded_withdrawals
from identity.planning.destinations.audience import ON_HOLD, Audience, AudienceCount, KeptOut, reasons_unseen
from identity.planning.destinations.feed_pages import BEGINNING
from identity.spaces.space import Space
from identity.store.destinations import feed
from identity.store.profiles import profile_queries
from identity.values.stamps import wall_time

LOOKED_AT: Final = 1_000
_PAGE: Final = 100


async def count_audience(space: Space, destination_id: str) -> Audience:
    """Count what a destination may see of the oldest profiles. DestinationNotFound."""
    scope = await open_scope(space, destination_id)
    async with space.database.reading() as connection:
        total = await feed.profiles_after(connection, space.tenant, BEGINNING)
    counted: Counter[KeptOut] = Counter()
    looked_at = visible = 0
    after: bytes | None = BEGINNING
    limit = _PAGE
    while after is not None and looked_at < LOOKED_AT:
        async with space.database.reading() as connection:
            listed = await profile_queries.list_canonical(connection, space.tenant, after, limit)
            ids = [id_ for id_, _, _ in listed]
            found = await profile_queries.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
        if len(found.origins) > MOST_DOCUMENTS and limit > 1:
            limit //= 2
            continue
        after = ids[-1] if len(ids) == limit else None
        now = wall_time()
        profiles = OpenedProfile.each(space, found).values()
        await add_recorded_withdrawals(space, profiles)
        for opened in profiles:
            names = await opened.names()
            held = [(each.origin, names[each.type]) for each in opened.identifiers]
            reasons = reasons_unseen(scope.entitled, scope.permission(opened, now), opened.documents, held)
            looked_at += 1
            visible += not reasons
            counted.update(reasons)
    if after is None and total > looked_at:
        # The list leaves out profiles that nobody may see.
        counted[KeptOut(ON_HOLD)] += total - looked_at
        looked_at = total
    kept_out = [
        AudienceCount(each.reason, count, each.purpose) for each, count in sorted(counted.items(), key=_by_name)
    ]
    return Audience(total, looked_at, visible, kept_out)


def _by_name(counted: tuple[KeptOut, int]) -> tuple[str, str]:
    return counted[0].reason, counted[0].purpose or ""
