"""Adds, lists and ends the keys that sign identity tokens: secrets that Onefold makes, or public keys of the customer.

At most two keys are in force, so that a server can change from one to the next. Invariant: an ended key never counts
again, since the journal records each version of the keys.
"""

from collections.abc import Callable, Sequence
from typing import Final, cast

from msgspec import Struct

from identity.operations.spaces.manage_spaces import LONGEST_NAME
from identity.spaces.retry import RetryPolicy, repeat
from identity.spaces.space import Space
from identity.store.ledger import ledger
from identity.store.spaces import identity_keys
from identity.values.errors import Conflict
from identity.values.identity_tokens.refusals import BadIdentityKey, IdentityKeyNotFound, TooManyIdentityKeys
from identity.values.ids import token
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction
from identity.values.plain_text import is_visible
from identity.values.stamps import wall_time
from identity.values.unknown_names import hint, shown
from identity.vault.identity_tokens.keys import (
    ALGORITHMS,
    SHARED,
    Algorithm,
    IdentityKey,
    new_secret,
    pack,
    public_material,
    unpack,
)
from identity.vault.seal import IDENTITY_KEYS

MOST_KEYS: Final = 2
_ID_LENGTH: Final = 26
_SEND: Final = f"Send one of {', '.join(ALGORITHMS)}."
_REPEAT: Final = RetryPolicy(attempts=8, jitter=0.0, conflicts=(Conflict,), unavailable=True)


class NewIdentityKeySecret(Struct, frozen=True):
    """A new key, with the secret that Onefold made for it; None for a public key."""

    key: IdentityKey
    secret: str | None


async def add_identity_key(
    space: Space, algorithm: str, name: str, public_key: str | JsonObject | None, actor: str
) -> NewIdentityKeySecret:
    """Put one more key in force. BadIdentityKey, TooManyIdentityKeys."""
    if algorithm not in ALGORITHMS:
        advice = hint(algorithm, ALGORITHMS)
        raise BadIdentityKey(f"No algorithm is called {shown(algorithm, 'so', ALGORITHMS)}. {advice} {_SEND}")
    if len(name) > LONGEST_NAME or not name.isprintable() or not is_visible(name):
        raise BadIdentityKey(f"A name needs 1 to {LONGEST_NAME} printable characters, and one that people can see.")
    secret = None
    if algorithm == SHARED:
        if public_key is not None:
            raise BadIdentityKey("Onefold makes the secret of an HS256 key. Leave public_key out.")
        secret = new_secret()
    material = public_material(algorithm, public_key) if secret is None else secret.encode()
    key = IdentityKey(
        id=f"idk_{token(_ID_LENGTH)}",
        algorithm=cast("Algorithm", algorithm),
        name=name,
        material=material,
        created_at=wall_time(),
    )

    def add(keys: Sequence[IdentityKey]) -> list[IdentityKey]:
        if len(keys) >= MOST_KEYS:
            raise TooManyIdentityKeys
        return [*keys, key]

    await _change(space, add, actor, added=key.id)
    return NewIdentityKeySecret(key, secret)


async def list_identity_keys(space: Space) -> list[IdentityKey]:
    """The keys in force, oldest first."""
    return (await _in_force(space))[1]


async def end_identity_key(space: Space, key_id: str, actor: str) -> None:
    """End a key: at once in this process, and within two seconds in the others. IdentityKeyNotFound."""

    def end(keys: Sequence[IdentityKey]) -> list[IdentityKey]:
        left = [key for key in keys if key.id != key_id]
        if len(left) == len(keys):
            raise IdentityKeyNotFound
        return left

    await _change(space, end, actor, ended=key_id)


async def _in_force(space: Space) -> tuple[int, list[IdentityKey]]:
    version, plain = await space.identity_keys.read()
    return version, [] if plain is None else unpack(plain)


async def _change(
    space: Space, change: Callable[[Sequence[IdentityKey]], list[IdentityKey]], actor: str, **noted: str
) -> None:
    """Put a changed list of keys in force; the ledger names the key that was added or ended."""

    async def attempt() -> None:
        version, keys = await _in_force(space)
        version += 1
        sealed = space.keys.seal(IDENTITY_KEYS, space.public_id, version, pack(change(keys)))
        async with space.database.transaction() as connection:
            await identity_keys.put(connection, space.tenant, version, sealed, actor)
            more = ledger.documented(sealed, **noted)
            await ledger.note(connection, space.tenant.id, actor, LedgerAction.IDENTITY_KEYS_PUT, str(version), more)

    await repeat(_REPEAT, attempt)
    space.identity_keys.forget()
    await space.publish()
