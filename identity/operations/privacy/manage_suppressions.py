"""The suppression list of a space: adding identifiers, lifting them, and counts.

The list holds hashes, so no answer contains an identifier.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Space
from identity.store.privacy import suppressions
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.stamps import Micros, wall_time

AGES: Final = (1, 7, 30, 90, 365)
"""Ages in days up to which suppressions are counted."""


class SuppressionChange(Struct, frozen=True):
    """How many different identifiers a change covers, and its time (microseconds).

    `unknown` are the identifiers that found nothing: nobody has a suppressed one, a lifted one was not suppressed.
    """

    count: int
    at: Micros
    unknown: Sequence[str] = ()


class SuppressionCounts(Struct, frozen=True):
    """How many identifiers are suppressed, by age in days; `erased_recently` are erased without suppression."""

    total: int
    oldest_days: int | None
    newest_days: int | None
    under_days: dict[int, int]
    erased_recently: int


async def suppress_identifiers(space: Space, identifiers: Sequence[str], actor: str) -> SuppressionChange:
    """Record no call of these identifiers from now on. BadIdentifier, TooManyAsked."""
    return await _change(space, RequestKind.SUPPRESS_ONLY, identifiers, actor)


async def lift_suppressions(space: Space, identifiers: Sequence[str], actor: str) -> SuppressionChange:
    """Record calls of these identifiers again from now on. BadIdentifier, TooManyAsked, ErasureWaits."""
    return await _change(space, RequestKind.UNSUPPRESS, identifiers, actor)


async def _change(space: Space, kind: RequestKind, identifiers: Sequence[str], actor: str) -> SuppressionChange:
    request = NewRequest(
        front=RequestInterface.NATIVE, kind=kind, regulation=Law.NONE, identifiers=identifiers, actor=actor
    )
    done = await request_erasure(space, request)
    unknown = dict.fromkeys(each.identifier or "" for each in done.erasures if not each.found)
    lifted = kind == RequestKind.UNSUPPRESS
    # An identifier that the request names twice counts once.
    changed = {each.identifier for each in done.erasures if each.found is True or not lifted}
    return SuppressionChange(len(changed), done.received_at, list(unknown))


async def count_suppressions(space: Space) -> SuppressionCounts:
    """How many identifiers are suppressed, and for how long."""
    now = wall_time()
    async with space.database.reading() as connection:
        ages, recent = await suppressions.ages(connection, space.tenant, now)
    return SuppressionCounts(
        total=len(ages),
        oldest_days=max(ages, default=None),
        newest_days=min(ages, default=None),
        under_days={limit: sum(age < limit for age in ages) for limit in AGES},
        erased_recently=recent,
    )
