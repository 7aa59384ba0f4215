"""Adds to the limits on a batch what the journal records and no row holds: a deleted row lets nobody in again.

The rows are read under the space lock, and the journal follows them. So where only the journal suppresses somebody, it
is read once more, as the end of a suppression may be newer than what this process knows.
"""

from collections.abc import Mapping

import structlog

from identity.planning.resolution.planner_state import PlannerState
from identity.spaces.space import Space
from identity.values.calls import LATE
from identity.values.ids import BlindIndex
from identity.values.stamps import wall_time
from identity.vault.vouching.journal_constraints import SUPPRESSION_MISSING

_log = structlog.get_logger(__name__)


async def add_recorded_limits(space: Space, hashes: Mapping[bytes, BlindIndex], marked: PlannerState) -> None:
    """Add the suppressions, erasures and blocks of the identifiers with these hashes in the suppression list."""
    if not space.recorded:
        return
    stored = {hash_ for hash_, key in hashes.items() if key in marked.suppressed}
    if space.recorded.missing(hashes, stored):
        await space.read_heads()
    recorded = space.recorded
    missing = recorded.missing(hashes, stored)
    if missing:
        _log.error("space.rolled_back", space=space.name_in_logs, reason=SUPPRESSION_MISSING)
    marked.suppressed |= {hashes[hash_] for hash_ in missing}
    oldest = wall_time() - LATE
    for hash_, key in hashes.items():
        until = recorded.erased.get(hash_)
        if until is not None and until >= oldest:
            marked.erased[key] = max(until, marked.erased.get(key, until))
        if hash_ in recorded.blocked:
            marked.blocked.add(key)
