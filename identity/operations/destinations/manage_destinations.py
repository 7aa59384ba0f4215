"""Destinations as their administrator manages them: what each may see, its secrets and its progress.

Every request of a destination reads its document anew, so a change is in force in every process once it
is answered. The ledger records every change without its content.
"""

import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from msgspec import Struct

from identity.operations.destinations.destination_document import note_document, open_document, seal_document
from identity.operations.destinations.destination_rows import all_destinations, find_destination
from identity.operations.destinations.destination_status import DestinationStatus, destination_status
from identity.operations.destinations.manage_purposes import get_purposes
from identity.operations.destinations.repeat_conflicts import REPEAT_CONFLICTS
from identity.planning.destinations.policy import ALL, Entitled, StoredDestination, compile_entitled, is_name
from identity.spaces.named_identifiers import require_types
from identity.spaces.retry import repeat
from identity.spaces.space import Space
from identity.spaces.vouched_keys import UnstoredKey, add_keys, revoke_key
from identity.store.destinations import deliveries, destinations
from identity.store.destinations.destinations import DestinationRow
from identity.store.ledger import ledger
from identity.store.privacy import erasure_notices
from identity.values.api_key_secrets import new_secret
from identity.values.errors import (
    BadCallback,
    BadDestination,
    Conflict,
    DestinationNotFound,
    Undelivered,
)
from identity.values.ids import DestinationId, new_id, public
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import wall_time
from identity.values.unknown_names import unknown_purposes
from identity.vault.vouching.ledger_entries import vouch_for_entry

WITHOUT_CONSENT: Final = "destination.without_consent"
"""The entry in the ledger for a destination that from then on receives data without consent."""
_LIVE_SECRETS: Final = 2
"""Secrets that are good at one time: the newest and the one before."""

Vet = Callable[[str, bytes], Awaitable[None]]
"""Checks that a space may call an address now. BadCallback, Undelivered."""


class DestinationSecrets(Struct, frozen=True):
    """A destination after a change, with the secrets that are shown once: those that the change created."""

    id: DestinationId
    version: int
    created: bool = False
    secret: str | None = None
    callback_secret: str | None = None
    lists_nothing: bool = False


async def reject_callbacks(_url: str, _space: bytes) -> None:
    """A `Vet` for processes that call nobody: every address is rejected."""
    raise BadCallback


async def put_destination(
    space: Space, name: str, document: object, actor: str, vet: Vet = reject_callbacks
) -> DestinationSecrets:
    """Put the whole document of a destination in force, creating the destination where the name is new.

    The answer holds the secret of a new destination, and the callback secret of a destination that had no
    callback before. BadDestination, UnknownPurpose, UnknownType, BadCallback.
    """
    if not is_name(name):
        raise BadDestination("The name of a destination must be 1 to 64 of a-z, 0-9, `_`, `.` and `-`.")
    entitled = compile_entitled(document)
    known = (await get_purposes(space)).purposes
    if unknown := unknown_purposes(entitled.purposes, known, "purposes"):
        raise unknown
    await require_types(space, [name for name in entitled.identifiers if name != ALL])
    if entitled.callback_url is not None:
        try:
            await vet(entitled.callback_url, space.public_id)
        except Undelivered as error:
            raise BadCallback(str(error)) from None

    async def attempt() -> DestinationSecrets:
        found = await find_destination(space, name)
        if found is None:
            return await _create(space, name, entitled, actor)
        return await _change(space, found, entitled, actor)

    return await repeat(REPEAT_CONFLICTS, attempt)


async def _create(space: Space, name: str, entitled: Entitled, actor: str) -> DestinationSecrets:
    id_ = DestinationId(new_id())
    key_id, secret = new_secret()
    document = StoredDestination(entitled, [secrets.token_bytes(32)])
    sealed = seal_document(space, id_, 1, document)
    async with space.database.transaction() as connection:
        await destinations.add(connection, space.tenant, id_, name, sealed)
        await add_keys(connection, space.tenant.id, space.keys, UnstoredKey(key_id, secret, name, [_scope(id_)]))
        await note_document(
            connection, space, actor, LedgerAction.DESTINATION_CREATED, id_, sealed, version=1, name=name
        )
        if entitled.without_consent:
            await ledger.note(connection, space.tenant.id, actor, WITHOUT_CONSENT, public("dst", id_))
    await space.publish()
    return DestinationSecrets(
        id=id_,
        version=1,
        created=True,
        secret=secret,
        callback_secret=_callback_secret(document),
        lists_nothing=entitled.lists_nothing,
    )


async def _change(space: Space, row: DestinationRow, entitled: Entitled, actor: str) -> DestinationSecrets:
    old, version = open_document(space, row), row.version
    new = StoredDestination(entitled, old.secrets)
    if old.entitled != entitled:
        version += 1
        async with space.database.transaction() as connection:
            sealed = seal_document(space, row.public_id, version, new)
            if not await destinations.change(connection, space.tenant, row.id, version, sealed):
                raise Conflict
            # Another address, or a repaired one: deliveries that were given up are tried again.
            await deliveries.revive(connection, space.tenant, row.id)
            await note_document(
                connection, space, actor, LedgerAction.DESTINATION_PUT, row.public_id, sealed, version=version
            )
            if entitled.without_consent and not old.entitled.without_consent:
                await ledger.note(connection, space.tenant.id, actor, WITHOUT_CONSENT, public("dst", row.public_id))
        await space.publish()
    shown = None if old.entitled.callback_url is not None else _callback_secret(new)
    return DestinationSecrets(
        id=row.public_id, version=version, callback_secret=shown, lists_nothing=entitled.lists_nothing
    )


async def resume_destination(space: Space, name: str, actor: str) -> DestinationStatus:
    """Send to the callback of a destination again at once, from where sending stopped. DestinationNotFound.

    A destination that a restore paused may read again.
    """
    row = await _named(space, name)
    entry = ledger.entry(
        actor,
        LedgerAction.DESTINATION_RESUMED,
        public("dst", row.public_id),
        wall_time(),
        {"restore": space.heads.restore},
    )
    async with space.database.transaction() as connection:
        await deliveries.revive(connection, space.tenant, row.id)
        await ledger.append(connection, space.tenant.id, *vouch_for_entry(space.keys, entry))
    await space.publish()
    return await destination_status(space, row)


async def rotate_secrets(space: Space, name: str, actor: str) -> DestinationSecrets:
    """Add new secrets to a destination; all but the newest of the old ones end. DestinationNotFound."""
    return await repeat(REPEAT_CONFLICTS, partial(_rotate, space, name, actor))


async def _rotate(space: Space, name: str, actor: str) -> DestinationSecrets:
    row = await _named(space, name)
    old, version = open_document(space, row), row.version + 1
    scope = _scope(row.public_id)
    key_id, secret = new_secret()
    new = StoredDestination(old.entitled, [secrets.token_bytes(32), *old.secrets][:_LIVE_SECRETS])
    async with space.database.transaction() as connection:
        sealed = seal_document(space, row.public_id, version, new)
        if not await destinations.change(connection, space.tenant, row.id, version, sealed):
            raise Conflict
        for ended in (await destinations.keys_with_scope(connection, space.tenant, scope))[: -(_LIVE_SECRETS - 1)]:
            await revoke_key(connection, space.tenant.id, ended, actor)
        await add_keys(connection, space.tenant.id, space.keys, UnstoredKey(key_id, secret, name, [scope]))
        await note_document(
            connection, space, actor, LedgerAction.DESTINATION_ROTATED, row.public_id, sealed, version=version
        )
    await space.publish()
    return DestinationSecrets(id=row.public_id, version=version, secret=secret, callback_secret=_callback_secret(new))


async def get_destination(space: Space, name: str) -> DestinationStatus:
    """A destination, what it may see, and its progress. DestinationNotFound."""
    return await destination_status(space, await _named(space, name))


async def list_destinations(space: Space) -> list[DestinationStatus]:
    """All destinations, by name."""
    rows = await all_destinations(space)
    return [await destination_status(space, row) for row in rows]


async def lacking_a_purpose(space: Space) -> list[str]:
    """The names of the destinations that need a purpose which the space does not have: such a one sees nobody."""
    known = (await get_purposes(space)).purposes
    rows = await all_destinations(space)
    return [row.name for row in rows if not known.keys() >= set(open_document(space, row).entitled.purposes)]


async def remove_destination(space: Space, name: str, actor: str) -> list[str]:
    """End a destination and its keys, whose public ids are returned; its disclosures stay on record.

    Erasures that the destination did not acknowledge are left for people to settle. DestinationNotFound.
    """
    row = await _named(space, name)
    async with space.database.transaction() as connection:
        await destinations.remove(connection, space.tenant, row.id)
        keys = await destinations.keys_with_scope(connection, space.tenant, _scope(row.public_id))
        for key_id in keys:
            await revoke_key(connection, space.tenant.id, key_id, actor)
        await erasure_notices.mark_unreachable(connection, space.tenant, row.id, wall_time())
        await ledger.note(
            connection, space.tenant.id, actor, LedgerAction.DESTINATION_DELETED, public("dst", row.public_id)
        )
    await space.publish()
    return keys


async def _named(space: Space, name: str) -> DestinationRow:
    row = await find_destination(space, name)
    if row is None:
        raise DestinationNotFound
    return row


def _scope(id_: DestinationId) -> str:
    """The scope of the keys of a destination."""
    return f"destination:{public('dst', id_)}"


def _callback_secret(document: StoredDestination) -> str | None:
    """The newest signing secret in the form of Standard Webhooks; None without a callback."""
    if document.entitled.callback_url is None:
        return None
    return "whsec_" + b64encode(document.secrets[0]).decode()
