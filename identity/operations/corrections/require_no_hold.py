"""Refuses a correction that would destroy what a litigation hold keeps, or move it out of the reach of the hold.

Invariant: a hold is compared with every identifier of the canonical profile, under the newest index key, while the
space lock is held alone. So a hold is either placed before the correction, or finds its result.
"""

from identity.operations.corrections.unseal_profiles import UnsealedProfiles
from identity.planning.privacy.hold_refusals import UnderHold
from identity.spaces.exclusive_transaction import ExclusiveSpace
from identity.values.calls import Identifier


async def require_no_hold(exclusive: ExclusiveSpace, opened: UnsealedProfiles) -> None:
    """UnderHold if a hold names an identifier of the profile. RolledBack: see `ExclusiveSpace.holds_on`."""
    space, rows = exclusive.space, opened.identifiers
    if exclusive.lock_row.oldest != exclusive.lock_row.newest:
        # A hold may bear an older blind index, which only the value leads to.
        for origin in {row.origin for row in rows.values()}:
            await opened.unlock(origin)
        await exclusive.rekey_named(
            [Identifier(space.names[row.type], opened.value(key).decode()) for key, row in rows.items()]
        )
    if found := await exclusive.holds_on(sorted(rows)):
        raise UnderHold(found)
