"""The change feed of a destination, page by page: what it may see of the profiles that changed.

Each change is delivered at least once, so a destination may get it again; for one profile a later change never has a
smaller version. A destination that stops and comes back misses nothing as long as the entries since are kept; after
that it starts again from the beginning (Resync).
"""

import time
from typing import Final, NamedTuple

from msgspec import Struct

from identity.operations.destinations.destination_read import visible_identifiers
from identity.operations.destinations.destination_scope import Scope, VisibleIdentifier, open_scope
from identity.operations.destinations.feed_waker import FeedWaker, WaitingReader
from identity.operations.destinations.opened_items import (
    ItemOp,
    OpenedItem,
    current_position,
    read_items,
)
from identity.planning.destinations.feed_pages import Position, pack
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.space import Space
from identity.values.answer_bytes import PageBytes
from identity.values.errors import BadCursor, Resync, TooMuch
from identity.values.ids import ProfileId
from identity.values.json import JsonObject
from identity.values.stamps import Micros, stamp_time

MOST: Final = 1_000
# What the destination may see may change without any entry.
_LOOK_ANEW: Final = 2.0
_EMPTY_PAGES: Final = 50


class VisibleChange(Struct, frozen=True):
    """One item of the feed as the destination may see it; an `upsert` has the whole visible state, `at` is a time."""

    op: ItemOp
    profile: ProfileId
    version: int
    other_profile_ids: tuple[ProfileId, ...]
    identifiers: list[VisibleIdentifier]
    traits: JsonObject
    at: Micros


class ChangePage(NamedTuple):
    """A page of changes, the cursor after it, and whether more is there already."""

    changes: list[VisibleChange]
    cursor: str
    more: bool


class Waiting(NamedTuple):
    """A request that waits for changes, and what wakes it."""

    reader: WaitingReader
    waker: FeedWaker


class PushPage(NamedTuple):
    """A page as it is sent to a callback: its changes, and the position after it, as cursor and packed."""

    changes: list[VisibleChange]
    cursor: str
    packed_position: bytes


async def read_changes(
    space: Space,
    destination_id: str,
    cursor: str | None,
    limit: int,
    wait: float = 0,
    waiting: Waiting | None = None,
) -> ChangePage:
    """The next page after a cursor (None: from the beginning), at most `limit` entries of the feed.

    An empty page is held back up to `wait` seconds, or until the reader of `waiting` is ended; where it is ended
    before, nothing is read.
    BadCursor, Resync, DestinationNotFound.
    """
    until = time.monotonic() + wait
    if waiting is not None and waiting.reader.ended and cursor is not None:
        return ChangePage([], cursor, more=False)
    while True:
        for _ in range(_EMPTY_PAGES):
            scope = await open_scope(space, destination_id)
            try:
                changes, position, more = await _page(space, scope, cursor, limit)
            except TooMuch:
                # A page of very large profiles is shorter than asked for, never rejected.
                if limit == 1:
                    raise
                limit //= 2
                continue
            cursor = space.write_cursor(scope.cursor_domain, pack(position))
            if changes or not more:
                break
        if changes or more or waiting is None or waiting.reader.ended or time.monotonic() >= until:
            return ChangePage(changes, cursor or "", more)
        anew = min(until, time.monotonic() + _LOOK_ANEW)
        await waiting.waker.wait(waiting.reader, space.tenant, position, anew)


async def page_after(space: Space, destination_id: str, packed_position: bytes | None, limit: int) -> PushPage:
    """The page to push after a packed position. DestinationNotFound.

    Without a position, and where the entries after it are no longer kept, it is an empty page at the beginning.
    """
    if packed_position is not None:
        domain = (await open_scope(space, destination_id)).cursor_domain
        try:
            page = await read_changes(space, destination_id, space.write_cursor(domain, packed_position), limit)
        except (BadCursor, Resync):
            pass
        else:
            return PushPage(page.changes, page.cursor, space.read_cursor(domain, page.cursor))
    scope = await open_scope(space, destination_id)
    packed_position = pack(await current_position(space, scope, None))
    return PushPage([], space.write_cursor(scope.cursor_domain, packed_position), packed_position)


@retry_on_key_rotation
async def _page(
    space: Space, scope: Scope, cursor: str | None, limit: int
) -> tuple[list[VisibleChange], Position, bool]:
    page = await read_items(space, scope, cursor, limit)
    changes = [await _change(scope, each) for each in page.items]
    room = PageBytes()
    if not all(room.takes(each) for each in changes):
        raise TooMuch
    return changes, page.position, page.more


async def _change(scope: Scope, opened: OpenedItem) -> VisibleChange:
    item, profile, view = opened.item, opened.profile, opened.view
    return VisibleChange(
        op=opened.op,
        profile=item.profile if profile is None or view is None else profile.root.canonical,
        version=(item.version if profile is None else profile.root.version) + scope.offset,
        other_profile_ids=item.other_profile_ids,
        identifiers=list(opened.identifiers)
        if profile is None or view is None
        else await visible_identifiers(profile, view),
        traits={} if profile is None or view is None else view.traits,
        at=stamp_time(item.stamp),
    )
