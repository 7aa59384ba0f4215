"""The API keys of a space."""

from typing import Annotated

from msgspec import Meta, Struct

from app.schemas.spaces import Name
from identity.operations.spaces.answers import ListedKey


class NewKey(Struct):
    """A key to create."""

    name: Name
    scopes: Annotated[list[str], Meta(min_length=1, max_length=64)]


class KeyList(Struct):
    """The keys of a space that are not revoked, oldest first."""

    keys: list[ListedKey]
    next_cursor: None
