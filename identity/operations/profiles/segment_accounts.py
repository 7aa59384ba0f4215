"""Groups as profiles of the collection `accounts`, in the shapes of Segment's Profile API.

A group keeps its traits and no calls of its own: its events are the group calls by which its
members last spoke of it, and lie with those.
"""

from typing import Any, NamedTuple

from identity.operations.profiles.profile import Opened
from identity.operations.profiles.segment_paging import Answered, Wanted, cursor, mark, read_place, write_place
from identity.operations.profiles.segment_users import key_names, page_of, source_id
from identity.planning.resolution import document as planning
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.stored_calls import Kept
from identity.spaces.space import Space, retry_on_key_rotation
from identity.store.profiles import groups, profile_queries
from identity.values.documents import Document
from identity.values.errors import BadIdentifier, ProfileNotFound, TooMuch
from identity.values.identifiers import plain
from identity.values.ids import id_time
from identity.values.stamps import stamp_time
from identity.vault.seal import GROUP_ID, GROUP_TRAITS

ACCOUNTS = "accounts"
GROUP_TYPE = "group_id"
MOST_MEMBERS = 10_000
_LIST, _EVENTS = b"accounts", {False: b"account-events-down", True: b"account-events-up"}


class Account(NamedTuple):
    """A group, opened; `created` in microseconds."""

    id: bytes
    name: str
    created: int
    document: Document


async def find_account(space: Space, ref: str) -> Account:
    """The group that a `group_id:value` leads to. BadIdentifier, ProfileNotFound."""
    type_, colon, value = ref.partition(":")
    if not colon or type_ != GROUP_TYPE or not plain(value):
        raise BadIdentifier
    account = await open_account(space, value)
    if account is None:
        raise ProfileNotFound
    return account


async def open_account(space: Space, group: str) -> Account | None:
    """The group of this id, in any spelling that collection folds."""
    name = plain(group)
    if not name:
        return None
    async with space.database.reading() as connection:
        keys = space.keys.groups(name)
        row = await groups.find_group(connection, space.tenant, keys, space.keys.versions.newest)
    if row is None:
        return None
    subject = space.keys.slot(row.slot, row.epoch, row.slot_wrapped).unwrap(row.key_id, row.wrapped)
    document = planning.unpack(subject.open(GROUP_TRAITS, row.account_id, row.version, row.document))
    shown = subject.open(GROUP_ID, row.account_id, 0, row.group_id).decode()
    return Account(row.account_id, shown, id_time(row.account_id), document)


@retry_on_key_rotation
async def traits(space: Space, ref: str, wanted: Wanted) -> Answered:
    """A page of the traits of a group; which key set one is not kept."""
    account = await find_account(space, ref)
    id_ = mark(space, account.id)
    folded, next_ = page_of(space, account.document.traits, wanted, id_, (id_,))
    told: dict[str, Any] = {name: entry[0] for name, entry in folded.items()}
    if wanted.verbose:
        told = {
            name: {"value": value, "source_id": None, "updated_at": format_time(time)}
            for name, (value, time, _) in folded.items()
        }
    return Answered(None, {"traits": told, "cursor": cursor(space, ACCOUNTS, "/-/traits", wanted, next_)})


@retry_on_key_rotation
async def external_ids(space: Space, ref: str, wanted: Wanted) -> Answered:
    """The one identifier of a group."""
    account = await find_account(space, ref)
    data = [] if wanted.include and GROUP_TYPE not in wanted.include else [group_id(account.name, account.created)]
    return Answered(None, {"data": data, "cursor": cursor(space, ACCOUNTS, "/-/external_ids", wanted, None)})


def group_id(name: str, created: int, call: Kept | None = None, source: str | None = None) -> dict[str, Any]:
    """The id of a group as an external id, with the call that it is known by."""
    return {
        "source_id": source,
        "collection": ACCOUNTS,
        "id": name,
        "type": GROUP_TYPE,
        "created_at": format_time(created),
        "encoding": "none",
        "first_message_id": None if call is None else call.message_id,
    }


@retry_on_key_rotation
async def metadata(space: Space, ref: str, _wanted: Wanted) -> Answered:
    """When a group came to be, and the first and last calls its members are known by.

    Of a group with more than 10,000 members those calls are not looked for.
    """
    account = await find_account(space, ref)
    try:
        said = await _said(space, account)
    except TooMuch:
        said = []
    calls = await _calls(space, [said[0], said[-1]] if said else [])
    first, last = (calls[0][2], calls[-1][2]) if calls else (None, None)
    newest = [stamp for _, _, stamp in account.document.traits.values()] + [stamp for _, stamp in said[-1:]]
    keys = await key_names(space)
    told = {
        "created_at": format_time(account.created),
        "updated_at": format_time(max([account.created, *(stamp_time(stamp) for stamp in newest)])),
        "expires_at": None,
        "first_message_id": None if first is None else first.message_id,
        "first_source_id": source_id(first, keys),
        "last_message_id": None if last is None else last.message_id,
        "last_source_id": source_id(last, keys),
    }
    return Answered(None, {"metadata": told})


@retry_on_key_rotation
async def events(space: Space, ref: str, wanted: Wanted) -> Answered:
    """The group calls by which its members last spoke of a group, by their arrival. TooMuch past 10,000."""
    account = await find_account(space, ref)
    domain, id_ = _EVENTS[wanted.ascending], mark(space, account.id)
    after = None
    if wanted.next is not None:
        after = int.from_bytes(read_place(space, domain, (id_,), wanted.next), "big")
    said = await _said(space, account)
    if not wanted.ascending:
        said.reverse()
    if after is not None:
        said = [at for at in said if (at[1] > after if wanted.ascending else at[1] < after)]
    shown, rest = said[: wanted.limit], said[wanted.limit :]
    keys = await key_names(space)
    data = [
        {
            "external_ids": [{"collection": ACCOUNTS, "type": GROUP_TYPE, "id": account.name, "encoding": "none"}],
            "context": call.body.get("context") or {},
            "type": "group",
            "message_id": call.message_id,
            "source_id": source_id(call, keys),
            "timestamp": format_time(call.time),
            "properties": call.body.get("traits") or {},
            "related": {"users": profile_id},
        }
        for _, profile_id, call in await _calls(space, shown)
        if (wanted.start is None or call.time >= wanted.start) and (wanted.end is None or call.time < wanted.end)
    ]
    next_ = write_place(space, domain, id_, shown[-1][1].to_bytes(8, "big")) if rest else None
    return Answered(None, {"data": data, "cursor": cursor(space, ACCOUNTS, "/-/events", wanted, next_)})


@retry_on_key_rotation
async def listed(space: Space, wanted: Wanted) -> Answered:
    """A page of all groups."""
    after = bytes(16) if wanted.next is None else space.read_cursor(_LIST, wanted.next)
    async with space.database.reading() as connection:
        found = await groups.list_groups(connection, space.tenant, after, wanted.limit + 1)
    data = []
    for row in found[: wanted.limit]:
        subject = space.keys.slot(row.slot, row.epoch, row.slot_wrapped).unwrap(row.key_id, row.wrapped)
        name = subject.open(GROUP_ID, row.account_id, 0, row.group_id).decode()
        created = format_time(id_time(row.account_id))
        data.append({"segment_id": f"{GROUP_TYPE}:{name}", "created_at": created, "updated_at": None})
    next_ = space.write_cursor(_LIST, found[wanted.limit - 1].account_id) if len(found) > wanted.limit else None
    return Answered(None, {"data": data, "cursor": cursor(space, ACCOUNTS, "", wanted, next_)})


async def _said(space: Space, account: Account) -> list[tuple[bytes, int]]:
    """(origin, stamp) of what was last said of a group, oldest first. TooMuch."""
    async with space.database.reading() as connection:
        said = await groups.membership_calls(connection, space.tenant, account.id, MOST_MEMBERS + 1)
    if len(said) > MOST_MEMBERS:
        raise TooMuch
    return sorted(said, key=lambda at: at[1])


async def _calls(space: Space, at: list[tuple[bytes, int]]) -> list[tuple[int, str, Kept]]:
    """(stamp, public id of the profile, call) of these, in their order; one that is gone is left out."""
    origins = list(dict.fromkeys(origin for origin, _ in at))
    async with space.database.reading() as connection:
        found = await profile_queries.by_ids(connection, space.tenant, origins, MOST_MEMBERS + 1)
    profiles = Opened.each(space, found)
    calls: dict[tuple[bytes, int], tuple[str, Kept]] = {}
    for profile in profiles.values():
        held = {member.id for member in profile.members}
        opened = await profile.calls({each for each in at if each[0] in held})
        calls |= {where: (profile.public_id, call) for where, call in opened.items()}
    return [(each[1], *calls[each]) for each in at if each in calls]
