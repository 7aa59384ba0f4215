"""Compares the rows of spaces with the key store: each is there under its id, and none is marked as deleted by others.

Such a space cannot be audited itself: its rows are gone, closed, or belong to keys that the row does not name.
"""

from collections.abc import Sequence

from identity.operations.integrity.find_unvouched_deletions import DELETED_UNVOUCHED
from identity.planning.integrity.discrepancies import Discrepancy
from identity.spaces.key_store_comparison import lost_spaces
from identity.spaces.ledger_publication import unvouched_deletions
from identity.store.postgres.database import Database
from identity.values.errors import KeyUnavailable
from identity.values.ids import public
from identity.vault.keyring import Keyring


async def spaces_without_audit(
    database: Database, space_ids: Sequence[str], keyring: Keyring | None
) -> dict[str, Discrepancy]:
    """What is wrong with each of these spaces, or of all, by id; nothing where the key store cannot be read."""
    if keyring is None:
        return {}
    try:
        found = {
            (id_ := public("spc", row.public_id)): Discrepancy(DELETED_UNVOUCHED, 1, [id_])
            for row in await unvouched_deletions(database, keyring, publishing=False)
        }
        found |= {
            public("spc", each.public_id): Discrepancy(each.kind, 1, [each.label])
            for each in await lost_spaces(database, keyring)
        }
    except KeyUnavailable:
        return {}
    return {id_: each for id_, each in found.items() if not space_ids or id_ in space_ids}
