"""The wire shapes of groups and memberships, and how values become them."""

from typing import Literal

from msgspec import Struct

from app.schemas.fields import PublicProfileId
from identity.operations.ingest.delete_group import DeletedGroup
from identity.operations.ingest.leave_group import GroupLeft
from identity.operations.profiles.read_group import GroupSummary
from identity.values.ids import public_profile
from identity.values.json import JsonObject


class GroupAnswer(Struct):
    """A group; `member_count` is exact unless `approximate`: of a very large group 10,000 entries are counted."""

    group_id: str
    traits: JsonObject
    member_count: int
    approximate: bool


class Left(Struct):
    """The profile that was removed from the group."""

    group_id: str
    profile_id: PublicProfileId
    member: Literal[False]


class GroupDeleted(Struct):
    """The group that was deleted, and how many profiles were members of it until then."""

    group_id: str
    deleted: Literal[True]
    members_removed: int


def left(value: GroupLeft) -> Left:
    """A profile that was removed from a group, as the API answers it."""
    return Left(group_id=value.group_id, profile_id=public_profile(value.profile_id), member=False)


def group_deleted(value: DeletedGroup) -> GroupDeleted:
    """A deleted group as the API answers it."""
    return GroupDeleted(group_id=value.group_id, deleted=True, members_removed=value.left)


def group_answer(value: GroupSummary) -> GroupAnswer:
    """A group as the API answers it."""
    return GroupAnswer(
        group_id=value.group_id,
        traits=value.traits,
        member_count=value.members,
        approximate=value.approximate,
    )
