"""Finds the spaces whose stored data no epoch key opens, as after a restore of the database without its keys.

The database names the epochs that its slot keys are wrapped under, the key store holds epoch keys. A roll destroys an
epoch key only after no slot key needs it, so an epoch counts as missing only if the database still names it after
the key store was found without it. A row with an edited id names keys that never were, which is no sign of a restore.
"""

from identity.spaces.key_store_comparison import lost_spaces
from identity.spaces.space import Spaces
from identity.store.keys import key_tables
from identity.values.errors import KeyUnavailable
from identity.values.not_ready import KeysOutdated
from identity.vault.keyring import Keyring
from identity.vault.threads import in_key_store

MISSING = (
    "The key store lacks an epoch key that the database needs, and holds no key backup of a later epoch; put the "
    "newest copy of the key store in place and start again."
)


async def require_epoch_keys(spaces: Spaces) -> None:
    """Raise KeysOutdated or KeyUnavailable unless the key store holds the epoch keys of every live space."""
    missing = await _missing(spaces)
    if missing:
        missing &= await _missing(spaces)
    if missing:
        # The keys of such a space are not lost: its row names others. See `key_store_comparison`.
        renamed = {each.named_as for each in await lost_spaces(spaces.database, spaces.keyring)}
        missing = {(space, epoch) for space, epoch in missing if space not in renamed}
    if missing:
        newer = [await in_key_store(_has_newer_dump, spaces.keyring, *each) for each in missing]
        raise KeysOutdated if all(newer) else KeyUnavailable(MISSING)


async def _missing(spaces: Spaces) -> set[tuple[bytes, int]]:
    async with spaces.database.of_all_spaces.reading() as connection:
        used = await key_tables.epochs_in_use(connection)
    return await in_key_store(lambda: {each for each in used if not _holds(spaces.keyring, *each)})


def _holds(keyring: Keyring, space: bytes, epoch: int) -> bool:
    try:
        return epoch in keyring.epochs(space)
    except KeyUnavailable:
        return False


def _has_newer_dump(keyring: Keyring, space: bytes, epoch: int) -> bool:
    """Whether `keys overlay` knows what to do: the keys are newer, or the space was deleted after the backup."""
    try:
        return not keyring.has_space(space) or keyring.newest_dump_epoch(space) > epoch
    except KeyUnavailable:
        return False
