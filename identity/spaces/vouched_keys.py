"""Adds API keys with the MACs of their rows, revokes keys, and gives MACs once to the keys of an older version.

Invariant: after the first start of this version only a key that Onefold adds has a MAC. The key store records that
start, so a row without a MAC that a database writer inserts later never gets one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from identity.store.ledger import ledger
from identity.store.postgres.database import Connection
from identity.store.spaces import spaces_and_keys
from identity.store.spaces.spaces_and_keys import VouchedKeyRow
from identity.values.api_key_secrets import ApiKeyContent, hash_of
from identity.values.errors import KeyUnavailable
from identity.values.ids import SpaceNumber, public
from identity.values.ledger_actions import LedgerAction
from identity.vault.keyring import Keyring
from identity.vault.space_keys import SpaceKeys
from identity.vault.threads import in_key_store
from identity.vault.vouching.api_keys import api_key_mac, is_vouched
from identity.vault.vouching.journal_heads import Heads

_log = structlog.get_logger(__name__)


class UnstoredKey(NamedTuple):
    """A key to be added; the database gets only the hash of its secret."""

    public_id: str
    secret: str
    name: str
    scopes: Sequence[str]


async def add_keys(connection: Connection, space_id: SpaceNumber, keys: SpaceKeys, *new: UnstoredKey) -> None:
    """Add API keys to a space. SpaceNotFound where the space was deleted meanwhile."""
    numbers = await spaces_and_keys.next_key_numbers(connection, len(new))
    contents = [
        ApiKeyContent(
            number=number, public_id=key.public_id, name=key.name, scopes=key.scopes, secret_hash=hash_of(key.secret)
        )
        for number, key in zip(numbers, new, strict=True)
    ]
    await spaces_and_keys.add_keys(connection, space_id, contents, [api_key_mac(keys, content) for content in contents])


async def revoke_key(connection: Connection, space_id: SpaceNumber, key_id: str, actor: str) -> None:
    """Revoke a key of a space; the journal records that, so the key never works again. KeyNotFound."""
    await spaces_and_keys.revoke_key(connection, space_id, key_id)
    await ledger.note(connection, space_id, actor, LedgerAction.KEY_REVOKED, key_id)


async def keys_without_mac(connection: Connection) -> list[VouchedKeyRow]:
    """The live keys of all spaces that have no MAC: of an older version, or inserted by somebody else."""
    return [row for row in await spaces_and_keys.live_keys(connection) if row.mac is None]


async def vouch_for_all(connection: Connection, keyring: Keyring) -> int:
    """Give a MAC to every live key that has none, in the transaction of the caller; returns how many got one.

    The caller takes the rows as they are: only for a database of an older version.
    """
    count = 0
    for row in await keys_without_mac(connection):
        try:
            keys = await in_key_store(keyring.space, row.space)
        except KeyUnavailable:
            _log.error("key.not_vouched", space=public("spc", row.space), reason="key_unavailable")
            continue
        await spaces_and_keys.set_mac(connection, row.key.id, api_key_mac(keys, row.content))
        count += 1
    return count


async def foreign_keys(connection: Connection, space_id: SpaceNumber, keys: SpaceKeys, heads: Heads) -> list[str]:
    """The public ids of the live keys of a space that Onefold did not store as they are, or revoked."""
    found = await spaces_and_keys.live_keys(connection, space_id)
    return [row.key.public_id for row in found if not is_in_force(row, keys, heads)]


def is_in_force(row: VouchedKeyRow, keys: SpaceKeys, heads: Heads) -> bool:
    """Whether Onefold stored a key as it is, and the journal has no revocation of it."""
    return is_vouched(keys, row.content, row.mac) and row.key.public_id not in heads.revoked
