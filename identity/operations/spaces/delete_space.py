"""Deletes a space: the database and the journal record the deletion, then the keys go, and a purge deletes the rows.

Invariant: the entry of the deletion is in the journal before a key is destroyed, since nothing else lets the purge
destroy them (`identity.spaces.ledger_publication`).
"""

import structlog

from identity.planning.privacy.hold_refusals import UnderHold
from identity.spaces.key_store_comparison import true_id
from identity.spaces.ledger_publication import heads_of_files, publish
from identity.spaces.space import Spaces
from identity.store.ledger import ledger
from identity.store.ledger.ledger import OPERATOR
from identity.store.postgres.tenant import Tenant
from identity.store.privacy import holds
from identity.store.spaces import spaces_and_keys
from identity.values.errors import KeyUnavailable, LedgerBroken, NotConfirmed, SpaceNotFound
from identity.values.ids import SpaceId, private
from identity.values.ledger_actions import LedgerAction
from identity.values.not_ready import RolledBack
from identity.values.stamps import wall_time
from identity.vault.threads import in_key_store
from identity.vault.vouching.ledger_entries import vouch_for_entry

_log = structlog.get_logger(__name__)


async def delete_space(spaces: Spaces, space_id: str, confirm: str | None) -> int:
    """Close a space and destroy its keys: nobody can read its rows any more, and the purge deletes them later.

    Returns the number of the space. `confirm` must be its exact name. The journal records the deletion before the keys
    go, since the purge destroys no keys without that entry; so a space that somebody else marked as deleted, or that an
    earlier release did not finish, is deleted here too. SpaceNotFound, NotConfirmed; UnderHold while a litigation hold
    is in force, RolledBack while only the journal has one, or the journal is that of another id; KeyUnavailable,
    LedgerBroken: nothing is deleted.
    """
    public_id = private("spc", space_id)
    if public_id is None:
        raise SpaceNotFound
    space, deleted = await _find(spaces, SpaceId(public_id))
    keyring, tenant = spaces.keyring, Tenant(space.id, space.bucket_base, space.spread)
    heads = await heads_of_files(keyring, space)
    if deleted and (heads is None or heads.deleted):
        # The purge goes on by itself.
        raise SpaceNotFound
    if confirm != space.name:
        raise NotConfirmed
    if heads is None and await true_id(spaces.database, keyring, space) is not None:
        # The journal that has to be asked is there under another id.
        raise RolledBack
    entry = ledger.entry(OPERATOR, LedgerAction.SPACE_DELETED, space_id, wall_time())
    if heads is not None:
        entry = vouch_for_entry(await in_key_store(keyring.space, space.public_id), entry)
    async with spaces.database.of_space(space.id).transaction() as connection:
        await spaces_and_keys.delete_space(connection, space.id)
        # After the lock of the space: no hold comes meanwhile.
        if found := await holds.list_holds(connection, tenant):
            raise UnderHold([each.id for each in found])
        if heads is not None:
            await _require_no_recorded_hold(spaces, space)
        await ledger.append(connection, space.id, *entry)
    spaces.forget(space.id)
    try:
        if heads is not None:
            await publish(spaces.database, tenant, await in_key_store(keyring.journal, space.public_id))
        await in_key_store(keyring.destroy_space, space.public_id)
    except (KeyUnavailable, LedgerBroken) as error:
        # The space is closed; the purge destroys the keys before it deletes the space.
        _log.warning("space.keys_left", space=space_id, exc_info=error)
    return space.id


async def _find(spaces: Spaces, public_id: SpaceId) -> tuple[spaces_and_keys.SpaceRow, bool]:
    """A space that is not purged yet, and whether the database has it as deleted. SpaceNotFound."""
    async with spaces.database.of_all_spaces.reading() as connection:
        try:
            return await spaces_and_keys.find_public_space(connection, public_id), False
        except SpaceNotFound:
            return await spaces_and_keys.find_deleted_space(connection, public_id), True


async def _require_no_recorded_hold(spaces: Spaces, space: spaces_and_keys.SpaceRow) -> None:
    """RolledBack where the journal has a hold in force, also after releases that only the database has yet."""
    if await _has_recorded_hold(spaces, space):
        tenant = Tenant(space.id, space.bucket_base, space.spread)
        await publish(spaces.database, tenant, await in_key_store(spaces.keyring.journal, space.public_id))
        if await _has_recorded_hold(spaces, space):
            raise RolledBack


async def _has_recorded_hold(spaces: Spaces, space: spaces_and_keys.SpaceRow) -> bool:
    heads = await heads_of_files(spaces.keyring, space)
    return heads is not None and any(heads.holds.values())
