"""Finds spaces that the database has as deleted, and whose journal records no deletion: somebody else marked them.

The purge passes such a space over: it stays closed, with keys, journal and rows. This search is for the log and
`/readyz`.
"""

from typing import Final

import structlog

from identity.operations.integrity.find_rolled_back import Found
from identity.spaces.ledger_publication import unvouched_deletions
from identity.spaces.space import Spaces
from identity.values.ids import public

DELETED_UNVOUCHED: Final = "space_deleted_unvouched"
_log = structlog.get_logger(__name__)


async def find_unvouched_deletions(spaces: Spaces, known: frozenset[Found]) -> frozenset[Found]:
    """The spaces that a purge passes over, a line of the log for each that is not `known`. KeyUnavailable."""
    unvouched = await unvouched_deletions(spaces.database, spaces.keyring)
    found = frozenset((row.id, DELETED_UNVOUCHED, public("spc", row.public_id)) for row in unvouched)
    for _, kind, label in sorted(found - known):
        _log.error("space.rolled_back", space=label, reason=kind)
    return found
