"""Finds the sealed rows of a profile by an identifier or an id, in one statement.

The journal hides a person while an erasure waits for a hold. A read of rows that a database writer shows again is
refused.
"""

from collections.abc import Iterable
from typing import Final

import structlog

from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import find_identifier
from identity.spaces.space import Space
from identity.store.profiles import profile_queries
from identity.values.ids import ProfileId, private
from identity.values.not_ready import RolledBack

MOST_DOCUMENTS = 10_000
WITHHELD_DIFFERS: Final = "withheld_differs"
_log = structlog.get_logger(__name__)


@retry_on_key_rotation
async def find(space: Space, ref: str) -> profile_queries.ProfileRows:
    """The sealed profile that a `type:value` or an id leads to."""
    id_ = private("prf", ref)
    if id_ is not None:
        async with space.database.reading() as connection:
            newest = space.keys.versions.newest
            return await profile_queries.by_ids(connection, space.tenant, [ProfileId(id_)], MOST_DOCUMENTS + 1, newest)
    # Before a connection is taken: waiting for a second one while holding the first could block for ever.
    identifier = await find_identifier(space, ref)
    async with space.database.reading() as connection:
        newest, keys = space.keys.versions.newest, space.keys.identifiers(identifier.type, identifier.value)
        return await profile_queries.by_keys(connection, space.tenant, [keys], MOST_DOCUMENTS + 1, newest)


def require_shown(space: Space, origins: Iterable[ProfileId]) -> None:
    """RolledBack where the journal hides one of these origins, since an erasure waits, and the database shows it."""
    if space.recorded.withholds(origins):
        _log.error("space.rolled_back", space=space.name_in_logs, reason=WITHHELD_DIFFERS)
        raise RolledBack
