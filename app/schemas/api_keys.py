"""The wire shapes of the API keys of a space, and how values become them."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from app.schemas.fields import Time
from app.schemas.spaces import Name
from identity.operations.spaces.manage_spaces import KeyEntry, KeySecret
from identity.planning.resolution.event_time import format_time


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


def created_key(value: KeySecret) -> CreatedKey:
    """A new key."""
    return CreatedKey(key_id=value.id, secret=value.secret, name=value.name, scopes=value.scopes)


def key_list(found: Sequence[KeyEntry]) -> KeyList:
    """The keys of a space."""
    return KeyList([ListedKey(each.id, each.name, each.scopes, format_time(each.created_at)) for each in found], None)
