"""Spaces, for the operator."""

from typing import Annotated

from msgspec import Meta, Struct

from identity.operations.spaces.answers import ListedSpace

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class NewSpace(Struct):
    """A space to create."""

    name: Name


class SpaceList(Struct):
    """All spaces, oldest first."""

    spaces: list[ListedSpace]
    next_cursor: None
