"""What a destination's export tells a warehouse: the feed of the destination, page by page, as states.

The feed is the only source: a page is written down as disclosed before it is given away here, and the
place after it is a cursor of the feed. Who gained or lost what was told before is taken back by id.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct

from identity.operations.destinations.destination_scope import Scope, cursor_domain, open_scope
from identity.operations.destinations.read_changes import UPSERT, WITHDRAW, Line, lines, read_position
from identity.operations.profiles.profile import Opened
from identity.planning.destinations.feed_pages import BEGINNING, Position, pack
from identity.planning.destinations.policy import Visible
from identity.planning.destinations.warehouse_tables import Event, Gone, Link, Mapped, State
from identity.planning.resolution.plan import ERASE, MERGE
from identity.planning.resolution.stored_calls import Kept, unpack
from identity.spaces.space import Space, retry_on_key_rotation
from identity.store.destinations import feed
from identity.store.profiles import profile_queries
from identity.store.spaces import spaces_and_keys
from identity.values.calls import STORED_KINDS
from identity.values.errors import KeyUnavailable, TooMuch
from identity.values.ids import public, public_profile
from identity.values.stamps import stamp_time
from identity.vault.seal import EVIDENCE

_PAGE: Final = 250
"""Profiles at once: their keys are opened in one go, and others wait meanwhile."""
_MERGED_ALONE: Final = 8
"""Of a profile with more origins it is not looked up which call merged which."""
_HASH: Final = b"exported "
_NOBODY: Final = Event()

_Calls = Mapping[int, Kept]
"""Calls by their stamps, which no two have in common."""


class Increment(Struct, frozen=True):
    """What is told next and the cursor after it; `first`: to nobody before, `still` so after it.

    `done` of about `total` profiles and entries of the feed are gone through by then.
    """

    told: Sequence[State | Gone]
    cursor: str
    first: bool
    still: bool
    done: int
    total: int


async def increments(space: Space, destination_id: str, cursor: str | None, *, first: bool) -> AsyncIterator[Increment]:
    """Everything after a cursor (None: everybody, then what changed) up to where the feed stands by now.

    `first`: whether everybody is told for the first time at the cursor. BadCursor, Resync,
    DestinationNotFound, TooMuch.
    """
    scope = await open_scope(space, destination_id)
    place = None if cursor is None else read_position(space, scope, cursor)
    async with space.database.reading() as connection:
        end = {lane.lane: lane.seq for lane in await feed.lanes(connection, space.tenant)}
        lanes = end if place is None else place.lanes
        total = sum(max(seq - lanes.get(lane, 0), 0) for lane, seq in end.items())
        after = BEGINNING if place is None else place.again(scope.version, scope.purposes.version).after
        if after is not None:
            total += await feed.profiles_after(connection, space.tenant, after)
    limit, done, more = _PAGE, 0, True
    while more:
        scope = await open_scope(space, destination_id)
        first = first and (place is None or _walking(place, scope))
        try:
            told, place, more, passed = await _step(space, scope, cursor, limit)
        except TooMuch:
            if limit == 1:
                raise
            limit = max(limit // 4, 1)
            continue
        cursor, done = space.write_cursor(cursor_domain(scope), pack(place)), done + passed
        # What comes meanwhile is for the next export, or this one might never end.
        more = more and (place.after is not None or any(place.lanes.get(lane, 0) < seq for lane, seq in end.items()))
        yield Increment(told, cursor, first, first and place.after is not None, done, max(total, done))


def _walking(place: Position, scope: Scope) -> bool:
    """Whether it still goes through everybody as it began to."""
    return place.after is not None and (place.entitled, place.purposes) == (scope.version, scope.purposes.version)


@retry_on_key_rotation
async def _step(
    space: Space, scope: Scope, cursor: str | None, limit: int
) -> tuple[list[State | Gone], Position, bool, int]:
    page = await lines(space, scope, cursor, limit)
    calls = await _calls(space, page.lines)
    async with space.database.reading() as connection:
        keys = await spaces_and_keys.key_names(connection, space.tenant.id)
    teller = _Teller(space, scope, calls, keys)
    told = [each for line in page.lines if (each := await teller.tell(line)) is not None]
    return told, page.position, page.more, page.passed


async def _calls(space: Space, told: Sequence[Line]) -> _Calls:
    """The calls behind what is told, as far as they are kept and it is cheap to find them."""
    subjects = {}
    wanted = set()
    for line in told:
        if line.op != UPSERT or line.one is None or line.view is None:
            continue
        one = line.one
        subjects.update(one.subjects)
        wanted |= {(one.identifiers[at].origin, one.identifiers[at].linked_at) for at in line.view.identifiers}
        wanted.add((one.head.canonical, one.head.elder))
        if len(one.members) <= _MERGED_ALONE:
            joined = [member.joined_at for member in one.members if member.joined_at is not None]
            wanted |= {(member.id, stamp) for member in one.members for stamp in joined}
    if not wanted:
        return {}
    async with space.database.reading() as connection:
        proofs = await profile_queries.evidence(connection, space.tenant, sorted(wanted))
    found = {}
    for proof in proofs:
        # Sealed anew since by an unmerge: then it is told without.
        with suppress(KeyUnavailable):
            plain = subjects[proof.origin].open(EVIDENCE, proof.origin, proof.stamp, proof.payload)
            found[proof.stamp] = unpack(plain)
    return found


class _Teller:
    """Writes lines of the feed as states."""

    def __init__(self, space: Space, scope: Scope, calls: _Calls, keys: Mapping[int, str]) -> None:
        self._space = space
        self._domain = _HASH + public("dst", scope.public_id).encode()
        self._calls = calls
        self._keys = keys

    async def tell(self, line: Line) -> State | Gone | None:
        """What a line comes to; an unmerge is told by the states of both sides."""
        told, one, view = line.told, line.one, line.view
        at = stamp_time(told.at)
        if line.op == UPSERT and one is not None and view is not None:
            return await self._state(one, view, _heard(line, one, view), at)
        if line.op == WITHDRAW:
            if one is None or view is None:
                return Gone([public_profile(told.profile)], [public_profile(told.profile)], at)
            heard = [public_profile(member) for member in sorted(_heard(line, one, view))]
            return Gone([one.public_id], heard, at)
        if told.op == ERASE and told.erasure is not None:
            ids = [public_profile(id_) for id_ in (told.profile, *told.others)]
            return Gone(ids, ids, at, public("ers", told.erasure))
        merged = [public_profile(id_) for id_ in told.others if id_ in line.knows]
        return Gone(merged, [], at) if told.op == MERGE and merged else None

    async def _state(self, one: Opened, view: Visible, heard: set[bytes], at: int) -> State:
        names = await one.names()
        links = []
        for member in one.members:
            if member.id not in heard:
                continue
            came = one.head.elder if member.id == one.head.canonical else member.joined_at or member.stamp
            links.append(Link(public_profile(member.id), stamp_time(came), self._event(came)))
        identifiers = []
        for nr in view.identifiers:
            held = one.identifiers[nr]
            event = self._event(held.linked_at)
            type_, value = names[held.type], one.value(held)
            hash_ = self._space.keys.mac(self._domain, f"{type_}:{value}".encode()).hex()
            segment, linked = public_profile(held.origin), stamp_time(held.linked_at)
            identifiers.append(Mapped(segment, type_, value, hash_, linked, event))
        folded = one.folded()
        traits = {name: (value, folded[name][1], stamp_time(folded[name][2])) for name, value in view.traits.items()}
        return State(one.public_id, links, identifiers, traits, at)

    def _event(self, stamp: int) -> Event:
        call = self._calls.get(stamp)
        if call is None:
            return _NOBODY
        return Event(STORED_KINDS[call.kind], call.message_id, self._keys.get(call.source), call.time)


def _heard(line: Line, one: Opened, view: Visible) -> set[bytes]:
    """The origins whose ids the destination hears of, or did: the canonical one and where something lies for it."""
    return {m.id for m in one.members if m.id in view.fields or m.id in line.knows} | {one.head.canonical}
