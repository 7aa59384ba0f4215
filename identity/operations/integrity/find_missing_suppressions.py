"""Finds suppressions that the journal records and the database lacks: somebody deleted or demoted their rows.

Ingest keeps such people out all the same. This search is for the log and `/readyz`.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from identity.operations.integrity.find_rolled_back import Found
from identity.spaces.space import Space, Spaces
from identity.store.privacy import suppressions
from identity.values.errors import OnefoldError
from identity.vault.vouching.journal_constraints import SUPPRESSION_MISSING

_AT_ONCE: Final = 5_000
SETTLED: Final = 0.2
"""Seconds in which an entry of a commit is in the journal, unless the server that committed was killed."""
_log = structlog.get_logger(__name__)


async def find_missing_suppressions(spaces: Spaces, known: frozenset[Found]) -> frozenset[Found]:
    """The missing suppressions of all spaces that this process serves, a line of the log for each new space."""
    found: set[Found] = set()
    for space in spaces.opened():
        try:
            hashes = await missing_suppressions(space)
        except OnefoldError as error:
            _log.error("space.suppressions_unread", space=space.name_in_logs, code=error.code)
            continue
        number = space.tenant.id
        if hashes and number not in {space_id for space_id, _, _ in known}:
            _log.error("space.rolled_back", space=space.name_in_logs, reason=SUPPRESSION_MISSING, count=len(hashes))
        found |= {(number, SUPPRESSION_MISSING, f"suppression {hash_.hex()}") for hash_ in hashes}
    return frozenset(found)


async def missing_suppressions(space: Space) -> set[bytes]:
    """The hashes of one space. A change in between may be in one of the two only: look twice. KeyUnavailable."""
    missing = await _not_stored(space, list(space.recorded.suppressed))
    if missing:
        await asyncio.sleep(SETTLED)
        await space.read_heads()
        missing = await _not_stored(space, sorted(missing & space.recorded.suppressed))
    return missing


async def _not_stored(space: Space, hashes: Sequence[bytes]) -> set[bytes]:
    missing: set[bytes] = set()
    for at in range(0, len(hashes), _AT_ONCE):
        some = hashes[at : at + _AT_ONCE]
        async with space.database.reading() as connection:
            missing |= set(some) - await suppressions.listed(connection, space.tenant, some)
    return missing
