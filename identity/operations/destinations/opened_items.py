"""The items of a destination's feed, opened: what changed for it after a position, with the states of now.

An item is recorded as disclosed before it leaves. The entries are read before the states, so a withdrawal
that is missing from a page has its entry after the page. A position whose next entries are no longer
kept is rejected (Resync).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final, Literal, NamedTuple

from msgspec import structs

from identity.operations.destinations.destination_scope import (
    Scope,
    VisibleIdentifier,
    disclose,
    past_disclosures,
    visible_part,
)
from identity.operations.destinations.erased_identifiers import erased_identifiers
from identity.operations.destinations.repeat_conflicts import REPEAT_CONFLICTS
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import OpenedProfile
from identity.operations.profiles.recorded_withdrawals import add_recorded_withdrawals
from identity.planning.destinations.feed_pages import (
    BEGINNING,
    FeedItem,
    Position,
    advance,
    feed_items,
    misses_entries,
    unpack,
)
from identity.planning.destinations.policy import Visible
from identity.spaces.retry import repeat
from identity.spaces.space import Space
from identity.store.destinations import feed
from identity.store.profiles import profile_queries
from identity.values.enums import FeedOperation
from identity.values.errors import BadCursor, Resync
from identity.values.ids import ProfileId
from identity.values.lane_entries import LaneEntry
from identity.values.stamps import first_stamp, wall_time

ItemOp = Literal["upsert", "merge", "unmerge", "withdraw", "erase"]
_OPS: Final[dict[int, ItemOp]] = {
    FeedOperation.MERGE: "merge",
    FeedOperation.UNMERGE: "unmerge",
    FeedOperation.ERASE: "erase",
}


class OpenedItem(NamedTuple):
    """An item of the feed with the profile concerned where there is one and the visible part of it.

    `known` are the origins disclosed to the destination before, `identifiers` those of an erased person.
    """

    op: ItemOp
    item: FeedItem
    profile: OpenedProfile | None = None
    view: Visible | None = None
    known: AbstractSet[ProfileId] = frozenset()
    identifiers: Sequence[VisibleIdentifier] = ()


class ItemPage(NamedTuple):
    """The items of a page, the position after it, whether more is there already, and how many entries it read."""

    items: list[OpenedItem]
    position: Position
    more: bool
    passed: int


def read_position(space: Space, scope: Scope, cursor: str) -> Position:
    """The position in a cursor of this destination. BadCursor."""
    position = unpack(space.read_cursor(scope.cursor_domain, cursor))
    if position is None:
        raise BadCursor
    return position


async def read_items(space: Space, scope: Scope, cursor: str | None, limit: int) -> ItemPage:
    """The next page after a cursor (None: the beginning), recorded as disclosed. BadCursor, Resync."""
    position = await current_position(space, scope, cursor)
    if position.after_profile is not None:
        return await _profiles_page(space, scope, position, limit)
    async with space.database.reading() as connection:
        entries = await feed.entries(connection, space.tenant, position.lanes, limit)
    if misses_entries(position, entries):
        raise Resync
    opened_items = await _entry_items(space, scope, entries) if entries else []
    return ItemPage(opened_items, advance(position, entries), len(entries) == limit, len(entries))


async def current_position(space: Space, scope: Scope, cursor: str | None) -> Position:
    """The position of a cursor (None: the beginning) under the versions now in force. BadCursor, Resync."""
    async with space.database.reading() as connection:
        heads = await feed.lanes(connection, space.tenant)
    if cursor is None:
        return Position(
            entitlement_version=scope.version,
            purposes_version=scope.purposes.version,
            began=wall_time(),
            after_profile=BEGINNING,
            lanes={lane.lane: lane.seq for lane in heads},
        )
    position = read_position(space, scope, cursor)
    for lane in heads:
        # A position beyond the end comes from a database that was restored since.
        if not lane.base <= position.lanes.setdefault(lane.lane, 0) <= lane.seq:
            raise Resync
    return position.again(scope.version, scope.purposes.version)


async def any_entry_after(space: Space, position: Position) -> bool:
    """Whether the feed has an entry after a position."""
    async with space.database.reading() as connection:
        heads = await feed.lanes(connection, space.tenant)
    return any(lane.seq > position.lanes.get(lane.lane, 0) for lane in heads)


async def _profiles_page(space: Space, scope: Scope, position: Position, limit: int) -> ItemPage:
    """The states of the next profiles, on the way through all of them."""
    after_profile = position.after_profile or BEGINNING
    async with space.database.reading() as connection:
        found = await profile_queries.list_canonical(connection, space.tenant, after_profile, limit)
    ids = [id_ for id_, _, _ in found]
    last = ids[-1] if len(ids) == limit else None
    stamp = first_stamp(wall_time())
    opened_items = await _open(
        space, scope, [FeedItem(op=None, profile=id_, other_profile_ids=(), version=0, stamp=stamp) for id_ in ids]
    )
    following = structs.replace(position, after_profile=last)
    more = last is not None or not opened_items or await any_entry_after(space, following)
    return ItemPage(opened_items, following, more, len(ids))


async def _entry_items(space: Space, scope: Scope, entries: Sequence[LaneEntry]) -> list[OpenedItem]:
    """The items of these entries, with the states of now."""
    named = sorted(
        {
            ProfileId(id_)
            for each in entries
            for id_ in (each.profile, each.other_profile)
            if id_ and each.op != FeedOperation.ERASE
        }
    )
    async with space.database.reading() as connection:
        canonical = dict(await feed.canonical_ids(connection, space.tenant, named)) if named else {}
    return await _open(space, scope, feed_items(entries, canonical))


async def _open(space: Space, scope: Scope, items: Sequence[FeedItem]) -> list[OpenedItem]:
    return await repeat(REPEAT_CONFLICTS, partial(_disclosed_items, space, scope, items))


async def _disclosed_items(space: Space, scope: Scope, items: Sequence[FeedItem]) -> list[OpenedItem]:
    ids = [each.profile for each in items if each.op != FeedOperation.ERASE]
    erasures = {each.erasure_id for each in items if each.erasure_id is not None}
    async with space.database.reading() as connection:
        found = await profile_queries.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
    erased = await erased_identifiers(space, scope, erasures)
    opened = OpenedProfile.each(space, found)
    await add_recorded_withdrawals(space, opened.values())
    views = {root: await visible_part(scope, each) for root, each in opened.items()}
    others = [id_ for each in items if each.op != FeedOperation.ERASE for id_ in each.other_profile_ids]
    before = await past_disclosures(space, scope, list({*ids, *others, *(origin.id for origin in found.origins)}))
    await disclose(space, scope, [(opened[root], view) for root, view in views.items()], before)
    known = {row.origin for row in before}
    roots = dict(zip(ids, (found.roots.get(nr) for nr in range(len(ids))), strict=True))
    opened_items: list[OpenedItem] = []
    for each in items:
        if each.op == FeedOperation.ERASE:
            if each.erasure_id in erased:
                opened_items.append(
                    OpenedItem(op=_OPS[FeedOperation.ERASE], item=each, identifiers=erased[each.erasure_id])
                )
            continue
        root = roots.get(each.profile)
        profile = None if root is None else opened[root]
        view = None if root is None else views[root]
        disclosed = each.profile in known or (
            profile is not None and any(origin.id in known for origin in profile.origins)
        )
        readable = view is not None and not view.nothing
        if each.op is not None:
            # A destination reads of a merge or unmerge only between profiles that were disclosed to it.
            named = tuple(id_ for id_ in each.other_profile_ids if id_ in known)
            if disclosed and named and profile is not None:
                opened_items.append(
                    OpenedItem(
                        op=_OPS[each.op],
                        item=each._replace(other_profile_ids=named),
                        profile=profile,
                        view=None,
                        known=known,
                    )
                )
        elif readable or disclosed:
            # A profile that is erased, dormant or on hold by now has to be dropped where it was disclosed.
            opened_items.append(
                OpenedItem(op="upsert" if readable else "withdraw", item=each, profile=profile, view=view, known=known)
            )
    return opened_items
