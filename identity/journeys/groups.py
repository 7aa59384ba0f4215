"""Reading groups: their traits, and how many profiles belong to them."""

from typing import Any

from identity.errors import GroupNotFound
from identity.identifiers import plain
from identity.planning import traits
from identity.spaces import Space, through_a_roll
from identity.store import read as store
from identity.vault.seal import GROUP_ID, GROUP_TRAITS

MOST_COUNTED = 10_000


@through_a_roll
async def get_group(space: Space, group_id: str) -> dict[str, Any]:
    """A group by its id, in any spelling that collection folds. GroupNotFound.

    `member_count` is exact unless `approximate`.
    """
    name = plain(group_id)
    if not name:
        raise GroupNotFound
    key = space.keys.group(name)
    async with space.database.reading() as connection:
        row = await store.group(connection, space.tenant, key)
        if row is None:
            raise GroupNotFound
        members = await store.count_members(connection, space.tenant, key, MOST_COUNTED)
    subject = space.keys.slot(row.slot, row.epoch, row.slot_wrapped).unwrap(row.key_id, row.wrapped)
    document = traits.unpack(subject.open(GROUP_TRAITS, row.account_id, row.version, row.document))
    return {
        "group_id": subject.open(GROUP_ID, row.account_id, 0, row.group_id).decode(),
        "traits": traits.present(document.traits),
        "member_count": min(members, MOST_COUNTED),
        "approximate": members > MOST_COUNTED,
    }
