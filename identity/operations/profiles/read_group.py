"""Reads a group: its traits, and the number of profiles that belong to it."""

from msgspec import Struct

from identity.operations.profiles.segment_accounts import open_account
from identity.planning.resolution import document
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.profiles import groups
from identity.values.errors import GroupNotFound
from identity.values.json import JsonObject

MOST_COUNTED = 10_000


class GroupAnswer(Struct):
    """A group; `member_count` is exact unless `approximate`: of a very large group 10,000 entries are counted."""

    group_id: str
    traits: JsonObject
    member_count: int
    approximate: bool


@retry_on_key_rotation
async def get_group(space: Space, group_id: str) -> GroupAnswer:
    """Read a group by its id, in any spelling that collection normalises to it. GroupNotFound."""
    account = await open_account(space, group_id)
    if account is None:
        raise GroupNotFound
    async with space.database.reading() as connection:
        members, all_counted = await groups.count_members(connection, space.tenant, account.id, MOST_COUNTED)
    return GroupAnswer(
        group_id=account.name,
        traits=document.present(account.document.traits),
        member_count=members,
        approximate=not all_counted,
    )
