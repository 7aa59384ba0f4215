"""The change feed of a destination, page by page: what it may see of what changed, as of now.

At least once, in the order of versions for each profile. The entries are read before the states, so a
withdrawal that is not in a page has its entry after the page's cursor. Whoever stops and comes back
misses nothing, until what came meanwhile is no longer kept: then it begins again (Resync).
"""

import asyncio
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from identity.operations.destinations.destination_read import ATTEMPTS
from identity.operations.destinations.destination_scope import (
    Scope,
    cursor_domain,
    disclose,
    open_scope,
    seen,
    told_before,
)
from identity.operations.destinations.erased_identifiers import set_aside
from identity.operations.profiles.find_profile import MOST_DOCUMENTS
from identity.operations.profiles.profile import Opened
from identity.planning.destinations.feed_pages import (
    BEGINNING,
    Entry,
    Message,
    Position,
    Told,
    advanced,
    collapsed,
    missed,
    pack,
    unpack,
)
from identity.planning.destinations.policy import Visible
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.plan import ERASE, MERGE, UNMERGE
from identity.spaces.space import Space, retry_on_key_rotation
from identity.store.destinations import feed
from identity.store.profiles import profile_queries
from identity.values.errors import BadCursor, Conflict, DatabaseUnavailable, Resync, TooMuch
from identity.values.ids import public_profile

MOST: Final = 1_000
_LOOK: Final = 0.2
# What is allowed may change without any entry.
_LOOK_ANEW: Final = 2.0
_EMPTY_PAGES: Final = 50
_OPS: Final = {MERGE: "merge", UNMERGE: "unmerge", ERASE: "erase"}
UPSERT, WITHDRAW = "upsert", "withdraw"


class Line(NamedTuple):
    """One thing that is told, with the profile it is about where that is there and `view`, what is seen of it.

    `knows` are those of its origins that the destination was told of before, `identifiers` those of who was erased.
    """

    op: str
    told: Told
    one: Opened | None = None
    view: Visible | None = None
    knows: AbstractSet[bytes] = frozenset()
    identifiers: Sequence[dict[str, str]] = ()


class Page(NamedTuple):
    """What a page tells, the place after it, whether more is there already, and how much it went through."""

    lines: list[Line]
    position: Position
    more: bool
    passed: int


def read_position(space: Space, scope: Scope, cursor: str) -> Position:
    """The place that a cursor of this destination names. BadCursor."""
    position = unpack(space.read_cursor(cursor_domain(scope), cursor))
    if position is None:
        raise BadCursor
    return position


async def changes(space: Space, destination_id: str, cursor: str | None, limit: int, wait: float = 0) -> dict[str, Any]:
    """The next page after a cursor (None: from the beginning), at most `limit` entries of the feed.

    Where there is nothing to tell it waits up to `wait` seconds. BadCursor, Resync, DestinationNotFound.
    """
    until = time.monotonic() + wait
    while True:
        for _ in range(_EMPTY_PAGES):
            scope = await open_scope(space, destination_id)
            try:
                told, position, more = await page(space, scope, cursor, limit)
            except TooMuch:
                # A page of very large profiles is shorter than asked for, never refused.
                if limit == 1:
                    raise
                limit //= 2
                continue
            cursor = space.write_cursor(cursor_domain(scope), pack(position))
            if told or not more:
                break
        if told or more or time.monotonic() >= until:
            return {"changes": told, "cursor": cursor, "has_more": more}
        await _something(space, position, min(until, time.monotonic() + _LOOK_ANEW))


async def _something(space: Space, position: Position, until: float) -> None:
    """Returns when there are entries after a place, or at a time: who waits costs one small question a look."""
    while time.monotonic() < until:
        await asyncio.sleep(_LOOK)
        if await _beyond(space, position):
            return


async def after(space: Space, destination_id: str, place: bytes | None, limit: int) -> Message:
    """The page after a place as it is kept, for whoever sends it. DestinationNotFound.

    After None, and where what came meanwhile is no longer kept, it is an empty one at the very beginning.
    """
    if place is not None:
        domain = cursor_domain(await open_scope(space, destination_id))
        try:
            made = await changes(space, destination_id, space.write_cursor(domain, place), limit)
        except (BadCursor, Resync):
            pass
        else:
            return Message(made["changes"], made["cursor"], space.read_cursor(domain, made["cursor"]))
    scope = await open_scope(space, destination_id)
    beginning = pack(await _position(space, scope, None))
    return Message([], space.write_cursor(cursor_domain(scope), beginning), beginning)


@retry_on_key_rotation
async def page(
    space: Space, scope: Scope, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], Position, bool]:
    """What a page tells as the feed writes it, the place after it, and whether more is there already."""
    found = await lines(space, scope, cursor, limit)
    return [await _written(scope, line) for line in found.lines], found.position, found.more


async def lines(space: Space, scope: Scope, cursor: str | None, limit: int) -> Page:
    """The next page after a cursor, of which what it tells is written down as disclosed. BadCursor, Resync."""
    position = await _position(space, scope, cursor)
    if position.after is not None:
        return await _all(space, scope, position, limit)
    async with space.database.reading() as connection:
        entries = [Entry(*row) for row in await feed.entries(connection, space.tenant, position.lanes, limit)]
    if missed(position, entries):
        raise Resync
    told = await _entries(space, scope, entries) if entries else []
    return Page(told, advanced(position, entries), len(entries) == limit, len(entries))


async def _position(space: Space, scope: Scope, cursor: str | None) -> Position:
    async with space.database.reading() as connection:
        lanes = await feed.lanes(connection, space.tenant)
    if cursor is None:
        began = time.time_ns() // 1000
        return Position(
            scope.version, scope.purposes.version, began, BEGINNING, {lane.lane: lane.seq for lane in lanes}
        )
    position = read_position(space, scope, cursor)
    for lane in lanes:
        # A place beyond the end is one in a database that was restored since.
        if not lane.base <= position.lanes.setdefault(lane.lane, 0) <= lane.seq:
            raise Resync
    return position.again(scope.version, scope.purposes.version)


async def _all(space: Space, scope: Scope, position: Position, limit: int) -> Page:
    """The next profiles of all; what is told of each is its state."""
    after = position.after or BEGINNING
    async with space.database.reading() as connection:
        found = await profile_queries.canonical(connection, space.tenant, after, limit)
    ids = [id_ for id_, _, _ in found]
    last = ids[-1] if len(ids) == limit else None
    now = time.time_ns() // 1000
    told = await _tell(space, scope, [Told(None, id_, (), 0, now << 8) for id_ in ids])
    place = Position(position.entitled, position.purposes, position.began, last, position.lanes)
    more = last is not None or not told or await _beyond(space, place)
    return Page(told, place, more, len(ids))


async def _beyond(space: Space, position: Position) -> bool:
    async with space.database.reading() as connection:
        lanes = await feed.lanes(connection, space.tenant)
    return any(lane.seq > position.lanes.get(lane.lane, 0) for lane in lanes)


async def _entries(space: Space, scope: Scope, entries: Sequence[Entry]) -> list[Line]:
    """What these entries tell, by the states of today."""
    named = sorted({id_ for each in entries for id_ in (each.profile, each.other) if id_ and each.op != ERASE})
    async with space.database.reading() as connection:
        canonical = dict(await feed.names(connection, space.tenant, named)) if named else {}
    return await _tell(space, scope, collapsed(entries, canonical))


async def _tell(space: Space, scope: Scope, wanted: Sequence[Told]) -> list[Line]:
    for _ in range(ATTEMPTS):
        try:
            return await _told(space, scope, wanted)
        except Conflict:
            continue
    raise DatabaseUnavailable


async def _told(space: Space, scope: Scope, wanted: Sequence[Told]) -> list[Line]:
    ids = [each.profile for each in wanted if each.op != ERASE]
    erasures = {each.erasure for each in wanted if each.erasure is not None}
    async with space.database.reading() as connection:
        found = await profile_queries.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
    erased = await set_aside(space, scope, erasures)
    opened = Opened.each(space, found)
    views = {head: await seen(scope, each) for head, each in opened.items()}
    others = [id_ for each in wanted if each.op != ERASE for id_ in each.others]
    before = await told_before(space, scope, list({*ids, *others, *(member.id for member in found.members)}))
    await disclose(space, scope, [(opened[head], view) for head, view in views.items()], before)
    knows = {row.origin for row in before}
    heads = dict(zip(ids, (found.heads.get(nr) for nr in range(len(ids))), strict=True))
    told: list[Line] = []
    for each in wanted:
        if each.op == ERASE:
            if each.erasure in erased:
                told.append(Line(_OPS[ERASE], each, identifiers=erased[each.erasure]))
            continue
        head = heads.get(each.profile)
        one = None if head is None else opened[head]
        view = None if head is None else views[head]
        known = each.profile in knows or (one is not None and any(m.id in knows for m in one.members))
        readable = view is not None and not view.nothing
        if each.op is not None:
            # Of whom it was never told it does not hear that they are, or were, one with somebody.
            named = tuple(id_ for id_ in each.others if id_ in knows)
            if known and named and one is not None:
                told.append(Line(_OPS[each.op], each._replace(others=named), one, None, knows))
        elif readable or known:
            # Who is erased, asleep or withheld by now has to be dropped by whoever was told of them.
            told.append(Line(UPSERT if readable else WITHDRAW, each, one, view, knows))
    return told


async def _written(scope: Scope, line: Line) -> dict[str, Any]:
    told, one, view = line.told, line.one, line.view
    written: dict[str, Any] = {
        "op": line.op,
        "profile_id": public_profile(told.profile) if one is None or view is None else one.public_id,
        "version": (told.version if one is None else one.head.version) + scope.offset,
        "other_profile_ids": [public_profile(id_) for id_ in told.others],
        "identifiers": list(line.identifiers),
        "traits": {},
        "at": format_time(told.at >> 8),
    }
    if one is not None and view is not None:
        names = await one.names()
        held = [one.identifiers[at] for at in view.identifiers]
        written["identifiers"] = [{"type": names[each.type], "value": one.value(each)} for each in held]
        written["traits"] = view.traits
    return written
