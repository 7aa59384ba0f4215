"""Lists of Segment's Profile API about links between users and accounts, both ways."""

from collections.abc import Sequence

from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.list_places import after_mark, mark, read_place, write_place
from identity.operations.profiles.profile import OpenedProfile, open_profile
from identity.operations.profiles.segment_accounts import find_group, group_id
from identity.operations.profiles.segment_paging import ListParameters, Page
from identity.operations.profiles.segment_users import linked_ids, read_source_ids, source_id
from identity.operations.profiles.segment_values import (
    ACCOUNTS,
    USERS,
    CollectionLink,
)
from identity.planning.resolution import fold_documents
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.store.profiles import groups, profile_queries
from identity.values.stamps import Micros

MOST_IDS = 25
_ACCOUNTS, _USERS = b"links-accounts", b"links-users"
_STRETCH = 100
_MOST_LOOKED_AT = 2_000


@retry_on_key_rotation
async def accounts_of(space: Space, ref: str, wanted: ListParameters) -> Page[list[CollectionLink]]:
    """Read a page of the groups that a profile belongs to, by group id."""
    profile = await open_profile(space, ref)
    folded = fold_documents.fold(document.groups for document in profile.documents.values())
    names: Sequence[str] = sorted(folded)
    if wanted.next is not None:
        # Groups that the profile left count as well: it may have left the last one of the page before.
        names = after_mark(space, names, read_place(space, _ACCOUNTS, profile.subjects, wanted.next), str.encode)
    names = [name for name in names if folded[name][0]]
    shown, rest = names[: wanted.limit], names[wanted.limit :]
    at = {
        name: (origin, folded[name][2])
        for origin, document in profile.documents.items()
        for name in shown
        if document.groups.get(name) == folded[name]
    }
    calls = await profile.calls(at.values())
    source_ids = await read_source_ids(space)
    links = []
    for name in shown:
        call = calls.get(at[name])
        joined = group_id(name, Micros(folded[name][1]), call, source_id(call, source_ids))
        links.append(CollectionLink(ACCOUNTS, [joined]))
    next_ = write_place(space, _ACCOUNTS, profile.root.canonical, mark(space, shown[-1].encode())) if rest else None
    return Page(profile.id, links, next_)


@retry_on_key_rotation
async def users_of(space: Space, ref: str, wanted: ListParameters) -> Page[list[CollectionLink]]:
    """Read a page of the profiles that belong to a group, each with its first 25 identifiers.

    It ends before its limit, with a cursor, where too many profiles in a row have left the group.
    """
    group = await find_group(space, ref)
    id_ = mark(space, group.id)
    after = bytes(16) if wanted.next is None else read_place(space, _USERS, (id_,), wanted.next)
    memberships: list[groups.MemberRow] = []
    more: bytes | None = after
    async with space.database.reading() as connection:
        for _ in range(_MOST_LOOKED_AT // _STRETCH):
            size = min(_STRETCH, wanted.limit - len(memberships))
            found, more = await groups.members(connection, space.tenant, group.id, more or after, size)
            memberships += found
            if more is None or len(memberships) >= wanted.limit:
                break
        rows = await profile_queries.by_ids(
            connection, space.tenant, [each.root for each in memberships], MOST_DOCUMENTS + 1
        )
    profiles = OpenedProfile.each(space, rows)
    source_ids = await read_source_ids(space)
    links = []
    for each in memberships:
        profile = profiles.get(each.root)
        if profile is not None:
            shown = await linked_ids(profile, profile.identifiers[:MOST_IDS], source_ids)
            links.append(CollectionLink(USERS, shown))
    next_ = None if more is None else write_place(space, _USERS, id_, more)
    return Page(None, links, next_)
