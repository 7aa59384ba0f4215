"""Finds spaces that only the key store has, for the log and `/readyz`: see `identity.spaces.key_store_comparison`."""

import structlog

from identity.spaces.key_store_comparison import LostSpace, lost_spaces
from identity.store.postgres.database import Database
from identity.values.ids import public
from identity.vault.keyring import Keyring

_log = structlog.get_logger(__name__)


async def find_lost_spaces(database: Database, keyring: Keyring, known: list[LostSpace]) -> list[LostSpace]:
    """The lost spaces; the log names those that are not `known`. KeyUnavailable."""
    found = await lost_spaces(database, keyring)
    for each in found:
        if each not in known:
            _log.error("space.rolled_back", space=public("spc", each.public_id), reason=each.kind)
    return found
