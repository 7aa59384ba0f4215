"""The native read of a group: its traits, and how many profiles belong to it."""

from typing import Any

from identity.operations.profiles.segment_accounts import open_account
from identity.planning.resolution import document
from identity.spaces.space import Space, retry_on_key_rotation
from identity.store.profiles import groups
from identity.values.errors import GroupNotFound

MOST_COUNTED = 10_000


@retry_on_key_rotation
async def get_group(space: Space, group_id: str) -> dict[str, Any]:
    """A group by its id, in any spelling that collection folds. GroupNotFound.

    `member_count` is exact unless `approximate`.
    """
    account = await open_account(space, group_id)
    if account is None:
        raise GroupNotFound
    async with space.database.reading() as connection:
        members, all_counted = await groups.count_members(connection, space.tenant, account.id, MOST_COUNTED)
    return {
        "group_id": account.name,
        "traits": document.present(account.document.traits),
        "member_count": members,
        "approximate": not all_counted,
    }
