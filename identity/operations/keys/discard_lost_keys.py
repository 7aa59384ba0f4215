"""Destroys the keys and journals of spaces whose rows are gone for good, since an older backup was restored.

Invariant: nothing is destroyed of a space that the database has, under its id or another. A journal may be the only
proof of erasures and holds, so the operator names each space.
"""

from collections.abc import Sequence
from typing import Final

from identity.spaces.key_store_comparison import LostSpace, lost_spaces
from identity.store.postgres.database import Database
from identity.values.errors import Misconfigured
from identity.values.ids import public
from identity.vault.keyring import Keyring
from identity.vault.threads import in_key_store

RENAMED: Final = (
    "The database has the rows of {} under the id {}. Put the id back, see space_renamed in docs/operating.md."
)
UNKNOWN: Final = "{} is no space that only the key store has; run onefold keys discard without arguments to list them."


async def discard_lost_keys(database: Database, keyring: Keyring, space_ids: Sequence[str]) -> list[LostSpace]:
    """Destroy the keys of these spaces; Misconfigured, before anything is destroyed, for one that has rows."""
    lost = {public("spc", each.public_id): each for each in await lost_spaces(database, keyring)}
    for id_ in space_ids:
        if id_ not in lost:
            raise Misconfigured(UNKNOWN.format(id_))
        if (named_as := lost[id_].named_as) is not None:
            raise Misconfigured(RENAMED.format(id_, public("spc", named_as)))
    for id_ in space_ids:
        await in_key_store(keyring.destroy_space, lost[id_].public_id)
    return [lost[id_] for id_ in space_ids]
