"""Lists of Segment's Profile API about groups, the profiles of its collection `accounts`.

A group has traits and no calls of its own. Its events are the last group call of each member, stored with the member.
"""

from typing import NamedTuple

from identity.operations.profiles.list_places import mark, read_place, write_place
from identity.operations.profiles.profile import OpenedProfile
from identity.operations.profiles.segment_paging import ListParameters, Page
from identity.operations.profiles.segment_users import page_of, read_source_ids, source_id
from identity.operations.profiles.segment_values import (
    ACCOUNTS,
    CollectionTimes,
    ListedAccount,
    SourcedCall,
    SourcedIdentifier,
    SourcedTrait,
)
from identity.planning.resolution import fold_documents
from identity.planning.resolution.stored_calls import StoredCall
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.profiles import groups, profile_queries
from identity.values.calls import Identifier
from identity.values.documents import Document
from identity.values.errors import BadIdentifier, ProfileNotFound, TooMuch
from identity.values.ids import GroupRowId, ProfileId, id_time
from identity.values.plain_text import plain, usable
from identity.values.stamps import Micros, Stamp, stamp_time
from identity.vault.seal import GROUP_ID, GROUP_TRAITS

GROUP_TYPE = "group_id"
MOST_MEMBERS = 10_000
_LIST, _EVENTS = b"accounts", {False: b"account-events-down", True: b"account-events-up"}


class OpenGroup(NamedTuple):
    """A group, unsealed."""

    id: GroupRowId
    group_id: str
    created_at: Micros
    document: Document


async def find_group(space: Space, ref: str) -> OpenGroup:
    """Find the group of a `group_id:value`. BadIdentifier, ProfileNotFound."""
    type_, colon, value = ref.partition(":")
    if not colon or type_ != GROUP_TYPE or not usable(value):
        raise BadIdentifier
    group = await open_group(space, value)
    if group is None:
        raise ProfileNotFound
    return group


async def open_group(space: Space, group_id: str) -> OpenGroup | None:
    """Find the group of an id, in any spelling that collection normalises to it."""
    if not usable(group_id):
        return None
    name = plain(group_id)
    async with space.database.reading() as connection:
        keys = space.keys.groups(name)
        row = await groups.find_group(connection, space.tenant, keys, space.keys.versions.newest)
    if row is None:
        return None
    subject = space.keys.slot(row.slot, row.epoch, row.slot_wrapped).unwrap(row.key_id, row.wrapped)
    document = fold_documents.unpack(subject.open(GROUP_TRAITS, row.account_id, row.version, row.document))
    shown = subject.open(GROUP_ID, row.account_id, 0, row.group_id).decode()
    return OpenGroup(row.account_id, shown, Micros(id_time(row.account_id)), document)


@retry_on_key_rotation
async def traits(space: Space, ref: str, wanted: ListParameters) -> Page[dict[str, SourcedTrait]]:
    """Read a page of the traits of a group; the keys that set them are not stored."""
    group = await find_group(space, ref)
    id_ = mark(space, group.id)
    folded, next_ = page_of(space, group.document.traits, wanted, id_, (id_,))
    shown = {name: SourcedTrait(value, None, Micros(time)) for name, (value, time, _) in folded.items()}
    return Page(None, shown, next_)


@retry_on_key_rotation
async def external_ids(space: Space, ref: str, wanted: ListParameters) -> Page[list[SourcedIdentifier]]:
    """Read the one identifier of a group."""
    group = await find_group(space, ref)
    excluded = wanted.include and GROUP_TYPE not in wanted.include
    return Page(None, [] if excluded else [group_id(group.group_id, group.created_at)], None)


def group_id(
    name: str, created_at: Micros, call: StoredCall | None = None, source: str | None = None
) -> SourcedIdentifier:
    """The id of a group as an identifier, with the call that names it."""
    return SourcedIdentifier(
        collection=ACCOUNTS,
        type=GROUP_TYPE,
        value=name,
        created_at=created_at,
        call=call,
        source=source,
    )


@retry_on_key_rotation
async def metadata(space: Space, ref: str, _wanted: ListParameters) -> Page[CollectionTimes]:
    """Read the times of a group, and the first and last of the calls that are its events.

    A group with more than 10,000 members is answered without these calls.
    """
    group = await find_group(space, ref)
    try:
        joins = await _joins(space, group)
    except TooMuch:
        joins = []
    calls = await _calls(space, [joins[0], joins[-1]] if joins else [])
    first, last = (calls[0][2], calls[-1][2]) if calls else (None, None)
    newest = [stamp for _, _, stamp in group.document.traits.values()] + [stamp for _, stamp in joins[-1:]]
    source_ids = await read_source_ids(space)
    times = CollectionTimes(
        created_at=group.created_at,
        updated_at=max([group.created_at, *(stamp_time(stamp) for stamp in newest)]),
        first=first,
        first_source=source_id(first, source_ids),
        last=last,
        last_source=source_id(last, source_ids),
    )
    return Page(None, times, None)


@retry_on_key_rotation
async def events(space: Space, ref: str, wanted: ListParameters) -> Page[list[SourcedCall]]:
    """Read the last group call of each member, by arrival. TooMuch past 10,000 members."""
    group = await find_group(space, ref)
    domain, id_ = _EVENTS[wanted.ascending], mark(space, group.id)
    after = None
    if wanted.next is not None:
        after = int.from_bytes(read_place(space, domain, (id_,), wanted.next), "big")
    joins = await _joins(space, group)
    if not wanted.ascending:
        joins.reverse()
    if after is not None:
        joins = [at for at in joins if (at[1] > after if wanted.ascending else at[1] < after)]
    shown, rest = joins[: wanted.limit], joins[wanted.limit :]
    source_ids = await read_source_ids(space)
    calls = [
        SourcedCall(
            collection=ACCOUNTS,
            kind="group",
            call=call,
            source=source_id(call, source_ids),
            profile_id=profile_id,
            identifiers=[Identifier(GROUP_TYPE, group.group_id)],
        )
        for _, profile_id, call in await _calls(space, shown)
        if (wanted.start is None or call.time >= wanted.start) and (wanted.end is None or call.time < wanted.end)
    ]
    next_ = write_place(space, domain, id_, shown[-1][1].to_bytes(8, "big")) if rest else None
    return Page(None, calls, next_)


@retry_on_key_rotation
async def listed(space: Space, wanted: ListParameters) -> Page[list[ListedAccount]]:
    """Read a page of all groups."""
    after = bytes(16) if wanted.next is None else space.read_cursor(_LIST, wanted.next)
    async with space.database.reading() as connection:
        found = await groups.list_groups(connection, space.tenant, after, wanted.limit + 1)
    accounts = []
    for row, key in found[: wanted.limit]:
        name = unwrap_key(space, key).open(GROUP_ID, row.account_id, 0, row.group_id).decode()
        accounts.append(ListedAccount(name, Micros(id_time(row.account_id))))
    next_ = space.write_cursor(_LIST, found[wanted.limit - 1][0].account_id) if len(found) > wanted.limit else None
    return Page(None, accounts, next_)


async def _joins(space: Space, group: OpenGroup) -> list[tuple[ProfileId, Stamp]]:
    """The (origin, stamp) of the last group call of each member, oldest first. TooMuch."""
    async with space.database.reading() as connection:
        joins = await groups.membership_calls(connection, space.tenant, group.id, MOST_MEMBERS + 1)
    if len(joins) > MOST_MEMBERS:
        raise TooMuch
    return sorted(joins, key=lambda at: at[1])


async def _calls(space: Space, places: list[tuple[ProfileId, Stamp]]) -> list[tuple[Stamp, ProfileId, StoredCall]]:
    """The (stamp, id of the profile, call) of each of these, in the same order, without erased ones."""
    origins = list(dict.fromkeys(origin for origin, _ in places))
    async with space.database.reading() as connection:
        found = await profile_queries.by_ids(connection, space.tenant, origins, MOST_MEMBERS + 1)
    profiles = OpenedProfile.each(space, found)
    calls: dict[tuple[ProfileId, Stamp], tuple[ProfileId, StoredCall]] = {}
    for profile in profiles.values():
        held = {origin.id for origin in profile.origins}
        opened = await profile.calls({each for each in places if each[0] in held})
        calls |= {where: (profile.id, call) for where, call in opened.items()}
    return [(each[1], *calls[each]) for each in places if each in calls]
