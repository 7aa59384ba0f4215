"""The wire shapes of spaces, and how values become them."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from app.schemas.fields import Time
from identity.operations.spaces.manage_spaces import SpaceEntry, SpaceSecrets
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class NewSpace(Struct, forbid_unknown_fields=True):
    """A space to create."""

    name: Name


class FirstKeys(Struct, rename={"import_": "import"}):
    """The secrets of the keys of a new space, one for each purpose. No later answer shows them."""

    write: str
    import_: str
    profiles: str
    privacy: str
    admin: str


class CreatedSpace(Struct):
    """A new space with its first keys."""

    space_id: str
    name: str
    keys: FirstKeys


class ListedSpace(Struct):
    """A space."""

    space_id: str
    name: str
    created_at: Time


class SpaceList(Struct):
    """All spaces, oldest first."""

    spaces: list[ListedSpace]
    next_cursor: None


def created_space(value: SpaceSecrets) -> CreatedSpace:
    """A new space."""
    return CreatedSpace(public("spc", value.id), value.name, msgspec.convert(value.keys, FirstKeys))


def space_list(found: Sequence[SpaceEntry]) -> SpaceList:
    """All spaces."""
    listed = [ListedSpace(public("spc", each.id), each.name, format_time(each.created_at)) for each in found]
    return SpaceList(listed, None)
