"""The wire shapes of the API keys and the identity keys of a space, and how values become them."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from app.schemas.fields import Time
from app.schemas.spaces import Name
from identity.operations.spaces.manage_identity_keys import NewIdentityKeySecret
from identity.operations.spaces.manage_spaces import KeyEntry, KeySecret
from identity.planning.resolution.event_time import format_time
from identity.vault.identity_tokens.keys import SHARED, IdentityKey


class NewKey(Struct, forbid_unknown_fields=True):
    """A key to create."""

    name: Name
    scopes: Annotated[list[str], Meta(min_length=1, max_length=64)]


class CreatedKey(Struct):
    """A new key. No later answer shows its secret."""

    key_id: str
    secret: str
    name: str
    scopes: list[str]


class ListedKey(Struct):
    """A key, without its secret."""

    key_id: str
    name: str
    scopes: list[str]
    created_at: Time


class KeyList(Struct):
    """The keys of a space that are not revoked, oldest first."""

    keys: list[ListedKey]
    next_cursor: None


class NewIdentityKey(Struct, forbid_unknown_fields=True):
    """A key to add: an algorithm, and for all but HS256 the public key as PEM text or JWK object."""

    name: Name
    algorithm: Annotated[str, Meta(max_length=16)]
    public_key: str | dict[str, Any] | None = None


class CreatedIdentityKey(Struct):
    """A new identity key; `secret` is that of an HS256 key. No later answer shows it."""

    key_id: str
    algorithm: str
    name: str
    created_at: Time
    secret: str | UnsetType = UNSET


class ListedIdentityKey(Struct):
    """An identity key, with its public key in PEM, without its secret."""

    key_id: str
    algorithm: str
    name: str
    created_at: Time
    public_key: str | UnsetType = UNSET


class IdentityKeyList(Struct):
    """The identity keys in force, oldest first."""

    keys: list[ListedIdentityKey]
    next_cursor: None


def created_key(value: KeySecret) -> CreatedKey:
    """A new key."""
    return CreatedKey(key_id=value.id, secret=value.secret, name=value.name, scopes=value.scopes)


def key_list(found: Sequence[KeyEntry]) -> KeyList:
    """The keys of a space."""
    return KeyList([ListedKey(each.id, each.name, each.scopes, format_time(each.created_at)) for each in found], None)


def created_identity_key(value: NewIdentityKeySecret) -> CreatedIdentityKey:
    """A new key."""
    key = value.key
    return CreatedIdentityKey(
        key_id=key.id,
        algorithm=key.algorithm,
        name=key.name,
        created_at=format_time(key.created_at),
        secret=UNSET if value.secret is None else value.secret,
    )


def identity_key_list(found: Sequence[IdentityKey]) -> IdentityKeyList:
    """The keys of a space."""
    return IdentityKeyList([_listed(key) for key in found], None)


def _listed(key: IdentityKey) -> ListedIdentityKey:
    return ListedIdentityKey(
        key_id=key.id,
        algorithm=key.algorithm,
        name=key.name,
        created_at=format_time(key.created_at),
        public_key=UNSET if key.algorithm == SHARED else key.material.decode(),
    )
