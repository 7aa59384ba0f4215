"""Reads a group: its traits, and the number of profiles that belong to it."""

from typing import Final

from msgspec import Struct

from identity.operations.profiles.segment_accounts import open_group
from identity.planning.resolution import fold_documents
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.profiles import groups
from identity.values.errors import GroupNotFound
from identity.values.json import JsonObject

MOST_COUNTED: Final = 10_000


class GroupSummary(Struct, frozen=True):
    """A group by its `groupId`; `approximate`: it has more members than were counted."""

    group_id: str
    traits: JsonObject
    members: int
    approximate: bool


@retry_on_key_rotation
async def get_group(space: Space, group_id: str) -> GroupSummary:
    """Read a group by its id, in any spelling that collection normalises to it. GroupNotFound."""
    group = await open_group(space, group_id)
    if group is None:
        raise GroupNotFound
    async with space.database.reading() as connection:
        members, all_counted = await groups.count_members(connection, space.tenant, group.id, MOST_COUNTED)
    return GroupSummary(
        group_id=group.group_id,
        traits=fold_documents.present(group.document.traits),
        members=members,
        approximate=not all_counted,
    )
