"""The suppression list of a space: adding to it, lifting, and how long it is. Values are never told."""

import time
from collections.abc import Sequence
from typing import Any

from identity.operations.privacy.request_erasure import ask
from identity.planning.privacy.request_kinds import Asked
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space
from identity.store.privacy import suppressions
from identity.values.enums import Law, RequestInterface, RequestKind

# The ages that are counted, in days: younger than each, and older than the last.
AGES = (1, 7, 30, 90, 365)


async def suppress(space: Space, identifiers: Sequence[str], actor: str) -> dict[str, Any]:
    """From now on no call of these is recorded. BadIdentifier, TooManyAsked."""
    done = await ask(space, Asked(RequestInterface.NATIVE, RequestKind.SUPPRESS_ONLY, Law.NONE, identifiers, actor))
    return {"suppressed": len(done.erasures), "at": format_time(done.received_at)}


async def lift(space: Space, identifiers: Sequence[str], actor: str) -> dict[str, Any]:
    """From now on calls of these are recorded again. BadIdentifier, TooManyAsked."""
    done = await ask(space, Asked(RequestInterface.NATIVE, RequestKind.UNSUPPRESS, Law.NONE, identifiers, actor))
    return {"lifted": len(done.erasures), "at": format_time(done.received_at)}


async def counts(space: Space) -> dict[str, Any]:
    """How many identifiers are suppressed, and for how long."""
    now = time.time_ns() // 1000
    async with space.database.reading() as connection:
        ages, recent = await suppressions.ages(connection, space.tenant, now)
    by_age = {f"under_{limit}_days": sum(age < limit for age in ages) for limit in AGES}
    oldest = None if not ages else max(ages)
    newest = None if not ages else min(ages)
    return {
        "total": len(ages),
        "oldest_days": oldest,
        "newest_days": newest,
        "by_age": by_age,
        "erased_recently": recent,
    }
